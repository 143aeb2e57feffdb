import type {TokenStore} from 'regrant';
import {authSpec} from './auth.spec.ts';
import {faultsSpec} from '../faults/faults.spec.ts';
import {createLabClient, type LabFacts} from './lab-client.ts';
import {loginSpec} from './login.spec.ts';
import {assertionsSpec, dpopSpec} from './proofs.spec.ts';

/** What a runtime cannot do, or does differently. The reason stands where each one is set. */
export interface Traits {
	/** A page: secrets are refused, redirects are followed by the browser alone. */
	readonly isPage?: boolean;
	/** Streams cannot be sent. */
	readonly lacksStreams?: boolean;
	/** An aborted `fetch` does not reject with the signal's reason. */
	readonly losesReasons?: boolean;
	/** An aborted `fetch` rejects with a copy of the signal's reason. */
	readonly copiesReasons?: boolean;
	/** Headers of another origin that CORS does not expose are hidden. */
	readonly hidesHeaders?: boolean;
	/** Adds `Authorization` again if a redirect follows the one that dropped it. */
	readonly restoresAuthorization?: boolean;
	/** Throws outside of `fetch` if a redirect leads to a URL with credentials. */
	readonly failsAtCredentials?: boolean;
	/** How its console shows a value, where that can be asked for. */
	inspect?(value: unknown): string;
}

/** The outcome of one test. */
export interface Outcome {
	readonly title: string;
	/** What went wrong. */
	readonly error?: string;
}

/** The report of a run. */
export interface Report {
	readonly runtime: string;
	/** The file that `regrant` is, where the runtime resolves names. */
	readonly resolved?: string;
	readonly outcomes: readonly Outcome[];
}

/** The stores that exist in a runtime, beside memory. */
export type Stores = Readonly<Record<string, () => TokenStore>>;

interface Test {
	readonly title: string;
	readonly run: () => Promise<void>;
}

/** So many cases of the catalogue run at once: each has servers to itself, and many wait. */
const crowd = 12;

/** Runs the specification, one test after the other, and the catalogue of faults. */
export async function run(runtime: string, facts: LabFacts, traits: Traits = {}, stores: Stores = {}): Promise<Report> {
	const lab = createLabClient(facts);
	const output = watchConsole();
	const unhandled = watchRejections();
	const outcomes: Outcome[] = [];
	const perform = async ({title, run}: Test): Promise<void> => {
		outcomes.push({title, ...(await failureOf(run))});
	};

	const tests: Test[] = [];
	const runner = {test: (title: string, run: Test['run']) => void tests.push({title, run}), equal, lab, traits, stores};
	authSpec(runner);
	assertionsSpec(runner);
	dpopSpec(runner);
	loginSpec(runner);
	for (const test of tests) {
		await lab.reset();
		await perform(test);
	}

	const together: Test[] = [];
	const alone: Test[] = [];
	faultsSpec({
		test: (title, run, isAlone) => void (isAlone ? alone : together).push({title, run}),
		equal,
		where: {runtime, traits, door: facts.faults},
	});
	const workOff = async (): Promise<void> => {
		for (let test = together.shift(); test; test = together.shift()) await perform(test);
	};
	await Promise.all(Array.from({length: crowd}, workOff));
	for (const test of alone) await perform(test);

	// Unhandled rejections are reported at the end.
	await lab.log();
	await perform({title: 'no rejection is left to nobody', run: async () => equal(unhandled().map(String), [])});
	await perform({title: 'the console is not written to', run: async () => equal(output(), [])});
	return {runtime, outcomes};
}

function equal(actual: unknown, expected: unknown): void {
	const [is, should] = [actual, expected].map(value => (value === undefined ? 'undefined' : JSON.stringify(value)));
	if (is !== should) throw new Error(`${is} is not ${should}`);
}

/** After so many milliseconds a test has failed: whoever runs it must have a report. */
const patience = 30_000;

async function failureOf(run: () => Promise<void>): Promise<{readonly error?: string}> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error('It has not come to its end')), patience);
	});
	try {
		await Promise.race([run(), late]);
		return {};
	} catch (error) {
		return {error: error instanceof Error ? `${error.name}: ${error.message}` : String(error)};
	} finally {
		clearTimeout(timer);
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

/** Gives what was written to the console since, and leaves the console as it was. */
function watchConsole(): () => string[] {
	const written: string[] = [];
	const names = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;
	const methods = names.map(name => [name, console[name]] as const);
	for (const name of names)
		console[name] = (...values: unknown[]) => void written.push(`${name} ${values.map(String).join(' ')}`);
	return () => {
		Object.assign(console, Object.fromEntries(methods));
		return written;
	};
}
