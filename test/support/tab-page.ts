import {build} from 'esbuild';
import {serve} from './serve.ts';

/** A page with the package as the global `regrant`. */
export interface TabPage {
	readonly origin: string;
	close(): Promise<void>;
}

/** Bundles the package into a script for a page or a worker. */
export async function bundleTab(): Promise<string> {
	const {outputFiles} = await build({
		entryPoints: ['test/support/tab.ts'],
		bundle: true,
		format: 'iife',
		globalName: 'regrant',
		target: 'es2022',
		write: false,
	});
	return outputFiles[0]?.text ?? '';
}

/** Serves the page, and `/worker.js`, a script for workers of every kind. */
export async function serveTabPage(): Promise<TabPage> {
	const code = await bundleTab();
	// In a classic script, a top-level `var` is a global. The worker runs the code that it is sent, so tests can control it.
	const worker = `${code}
addEventListener('message', ({data: {task, given}, ports: [port]}) => {
	const run = async () => (0, eval)(\`(\${task})\`)(given);
	run().then(value => port.postMessage({value}), error => port.postMessage({error: String(error)}));
});
addEventListener('activate', event => event.waitUntil?.(clients.claim()));`;
	const script = {type: 'text/javascript'} as const;
	const pages: Readonly<Record<string, {readonly type: string; readonly body: string}>> = {
		'/regrant.js': {...script, body: code},
		'/worker.js': {...script, body: worker},
	};
	const page = {type: 'text/html', body: '<!doctype html><title>tab</title><script src="/regrant.js"></script>'};
	const served = await serve((_request, {path}) => {
		const {type, body} = pages[path] ?? page;
		return {
			headers: [
				['content-type', type],
				['cache-control', 'max-age=60'],
			],
			body,
		};
	});
	return {origin: served.origin, close: served.close};
}
