import type {Outcomes} from '../calls.ts';
import type {Mood} from '../mood.ts';
import type {Report} from '../report.ts';
import type {Tab} from './tab.ts';

/** Plays one trouble, from the sign-in to the last call. */
export type Scene = (stage: Stage) => Promise<Ending>;

/** What a scene can use. */
export interface Stage {
	/** Signs Ann in, in this tab. The API already refuses her access token, and the app does not know that yet. */
	openTab(options?: {readonly timeout?: number}): Promise<Tab>;
	/** Opens the same app in another tab. It shares the session. */
	openOtherTab(): Promise<Tab>;
	/** Changes how the token endpoint behaves, until the scene is over. */
	setMood(mood: Mood): Promise<void>;
	/** Writes on the drawing what happens to the server or to the network. */
	note(text: string): void;
	/** The last report of each request and event so far, in the order in which they began. */
	reports(): readonly Report[];
}

/** The end of a scene. */
export interface Ending {
	readonly tab: Tab;
	readonly outcomes: Outcomes;
	/** True if Ann wants to be signed out in the end. Default: she wants to stay signed in. */
	readonly wantsSignOut?: boolean;
	/**
	Checks the run. Returns the values for the sentence that says what happened, or undefined if the run did not go as it should.

	@param isSignedIn Whether Ann is still signed in, as the server says.
	*/
	check(isSignedIn: boolean): Readonly<Record<string, string | number>> | undefined;
}
