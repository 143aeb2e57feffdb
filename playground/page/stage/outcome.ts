import {part} from '../elements.ts';
import {writeVerdict} from '../verdict.ts';

/** The place below a button where the page says what a run came to. */
export interface Outcome {
	/** Says that the run is under way. */
	wait(): void;
	show(ending: Shown): void;
	/** Says that the trouble could not be played. */
	fail(reason: string): void;
	/** Says that nothing has been played yet. */
	clear(): void;
}

/** What is shown of a run. */
export interface Shown {
	readonly verdict: string;
	/** True if Ann ends up as she wants to be: signed in, or signed out. */
	readonly isGood: boolean;
	/** The values to fill in. Undefined if the run did not go as it should. */
	readonly values: Readonly<Record<string, string | number>> | undefined;
}

/** Creates the outcome in the panel of a trouble. Its sentences are those for which the panel reserves the room. */
export function createOutcome(panel: HTMLElement): Outcome {
	const box = part(panel, '.outcome', HTMLElement);
	const sentence = (name: string): string => part(box, `.reserved .${name}`, HTMLElement).textContent;
	const place = (name: string): HTMLElement => part(box, `.told .${name}`, HTMLElement);
	const write = (ending: '' | 'good' | 'bad', verdict: string, happened = '', why = ''): void => {
		box.dataset['ending'] = ending;
		writeVerdict(place('verdict'), verdict);
		place('happened').textContent = happened;
		place('why').textContent = why;
	};
	return {
		wait: () => write('', 'Running …'),
		show({verdict, isGood, values}) {
			const ending = isGood ? 'good' : 'bad';
			if (values) write(ending, verdict, fillIn(sentence('happened'), values), sentence('why'));
			else write(ending, verdict, ...unexpected);
		},
		fail: reason => write('bad', `This could not be played: ${reason}`),
		clear: () => write('', 'Not played yet.'),
	};
}

/** What is said of a run that did not go as it should. */
const unexpected = [
	'This run did not go as it should.',
	'The list for maintainers, at the end of the page, has every step of it. Please report it.',
] as const;

/** Puts values in the place of the names in braces. */
export function fillIn(text: string, values: Readonly<Record<string, string | number>>): string {
	return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
