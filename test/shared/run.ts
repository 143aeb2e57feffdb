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
	/** An aborted `fetch` rejects with a copy of the signal's reason. */
	readonly copiesReasons?: boolean;
	/** How its console shows a value, where that can be asked for. */
	inspect?(value: unknown): string;
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
	/** The file that `regrant` is, where the runtime resolves names. */
	readonly resolved?: string;
	readonly outcomes: readonly Outcome[];
}

/** The stores that exist in a runtime, beside memory. */
export type Stores = Readonly<Record<string, () => TokenStore>>;

/** Runs the specification, one test after the other. */
export async function run(runtime: string, facts: LabFacts, traits: Traits = {}, stores: Stores = {}): Promise<Report> {
	const lab = createLabClient(facts);
	const tests: Array<readonly [title: string, run: () => Promise<void>]> = [];
	authSpec({test: (title, run) => void tests.push([title, run]), equal, lab, traits, stores});
	const unhandled = watchRejections();
	const outcomes: Outcome[] = [];
	for (const [title, run] of tests) {
		await lab.reset();
		outcomes.push({title, ...(await failureOf(run))});
	}
	// What is left over is told when all else is done: hence the question.
	await lab.log();
	outcomes.push({
		title: 'no rejection is left to nobody',
		...(await failureOf(async () => equal(unhandled().map(String), []))),
	});
	return {runtime, outcomes};
}

function equal(actual: unknown, expected: unknown): void {
	const [is, should] = [actual, expected].map(value => (value === undefined ? 'undefined' : JSON.stringify(value)));
	if (is !== should) throw new Error(`${is} is not ${should}`);
}

async function failureOf(run: () => Promise<void>): Promise<{readonly error?: string}> {
	try {
		await run();
		return {};
	} catch (error) {
		return {error: error instanceof Error ? `${error.name}: ${error.message}` : String(error)};
	}
}

interface RejectionEvent {
	readonly promise: Promise<unknown>;
	readonly reason: unknown;
}

interface RejectionTarget {
	addEventListener?(type: string, listen: (event: RejectionEvent) => void): void;
}

/** Gives the reasons of the rejections that nobody has handled. Node has no such events: there one is the end of the process. */
function watchRejections(): () => unknown[] {
	const reasons = new Map<Promise<unknown>, unknown>();
	const target = globalThis as RejectionTarget; // the DOM's types know them for windows alone
	target.addEventListener?.('unhandledrejection', ({promise, reason}) => void reasons.set(promise, reason));
	// Workers tell too soon, and take it back.
	target.addEventListener?.('rejectionhandled', ({promise}) => void reasons.delete(promise));
	return () => [...reasons.values()];
}
