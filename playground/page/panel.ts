import {element} from './elements.ts';
import {reasonOf} from './send.ts';

/** Does what a control is for, and says what became of it. */
export type Action = () => Promise<string> | string;

/** The controls of the page, which are dead until they are told what to do. */
export interface Panel {
	/** What a button does. */
	onClick(id: string, action: Action): void;
	/** What a select or a checkbox does. */
	onChange(id: string, action: Action): void;
}

/** Says what the controls do in the status of the page: the last one that was used has the word. */
export function createPanel(): Panel {
	const status = element('status', HTMLElement);
	let latest = 0;
	const show = async (action: Action): Promise<void> => {
		const own = ++latest;
		const say = (text: string): void => {
			if (own === latest) status.textContent = text;
		};
		say('…');
		try {
			say(await action());
		} catch (error) {
			say(reasonOf(error));
		}
	};
	const listen = (type: string) => (id: string, action: Action) =>
		element(id, HTMLElement).addEventListener(type, () => void show(action));
	return {onClick: listen('click'), onChange: listen('change')};
}
