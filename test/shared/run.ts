import type {TokenStore} from 'regrant';
import {authSpec} from './auth.spec.ts';
import {createLabClient, type LabFacts} from './lab-client.ts';

/** What a runtime cannot do, or does in a way of its own: each with its reason where it is set. */
export interface Traits {
	/** A page: secrets are refused, redirects are followed by the browser alone. */
	readonly isPage?: boolean;
	/** Streams cannot be sent. */
	readonly lacksStreams?: boolean;
	/** An aborted `fetch` does not reject with the signal's reason. */
	readonly losesReasons?: boolean;
}

/** What became of one test. */
export interface Outcome {
	readonly title: string;
	/** What went wrong. */
	readonly error?: string;
}

/** What a run has to tell. */
export interface Report {
	readonly runtime: string;
	readonly outcomes: readonly Outcome[];
}

/** The stores that exist in a runtime, beside memory. */
export type Stores = Readonly<Record<string, () => TokenStore>>;

/** Runs the specification, one test after the other. */
export async function run(runtime: string, facts: LabFacts, traits: Traits = {}, stores: Stores = {}): Promise<Report> {
	const lab = createLabClient(facts);
	const tests: Array<readonly [title: string, run: () => Promise<void>]> = [];
	authSpec({test: (title, run) => void tests.push([title, run]), equal, lab, traits, stores});
	const outcomes: Outcome[] = [];
	for (const [title, run] of tests) {
		await lab.reset();
		try {
			await run();
			outcomes.push({title});
		} catch (error) {
			outcomes.push({title, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error)});
		}
	}
	return {runtime, outcomes};
}

function equal(actual: unknown, expected: unknown): void {
	const [is, should] = [actual, expected].map(value => (value === undefined ? 'undefined' : JSON.stringify(value)));
	if (is !== should) throw new Error(`${is} is not ${should}`);
}
