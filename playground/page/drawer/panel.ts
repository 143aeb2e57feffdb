import {reasonOf} from '../calls.ts';
import {element, part} from '../elements.ts';

/** Does what a control is for, and says what became of it. */
export type Action = () => Promise<string> | string;

/** The controls of the drawer. They do nothing until they get an action. */
export interface Panel {
	/** Sets what a button does. */
	onClick(id: string, action: Action): void;
	/** Sets what a select or a checkbox does. */
	onChange(id: string, action: Action): void;
	/** Does something at once, and says below a control what it came to. */
	run(id: string, action: Action): void;
}

/** Creates a panel. Each group of controls says below itself what the control that was used last came to. */
export function createPanel(): Panel {
	const latest = new WeakMap<Element, symbol>();
	const show = async (control: HTMLElement, action: Action): Promise<void> => {
		const group = control.closest('fieldset') ?? document.body;
		const output = part(group, 'output', HTMLElement);
		const use = Symbol(control.id);
		latest.set(group, use);
		const say = (text: string): void => {
			if (latest.get(group) === use) output.textContent = text;
		};
		say('…');
		try {
			say(await action());
		} catch (error) {
			say(reasonOf(error));
		}
	};
	const listen = (type: string) => (id: string, action: Action) => {
		const control = element(id, HTMLElement);
		control.addEventListener(type, () => void show(control, action));
	};
	return {
		onClick: listen('click'),
		onChange: listen('change'),
		run: (id, action) => void show(element(id, HTMLElement), action),
	};
}
