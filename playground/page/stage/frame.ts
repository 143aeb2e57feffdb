import type {Tab, TabOptions} from './tab.ts';

/** Opens the app in an invisible frame, which stands for another tab. Closing that tab removes the frame. */
export async function openFrame(options: TabOptions): Promise<Tab> {
	const frame = document.createElement('iframe');
	frame.title = 'The other tab';
	frame.hidden = true;
	frame.src = '/other-tab.html';
	const loaded = new Promise(resolve => frame.addEventListener('load', resolve, {once: true}));
	document.body.append(frame);
	await loaded;
	const tab = frame.contentWindow?.openTab?.(options);
	if (!tab) throw new Error('The other tab could not be opened');
	return {
		...tab,
		close() {
			tab.close();
			frame.remove();
		},
	};
}
