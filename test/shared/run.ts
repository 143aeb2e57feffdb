import type {TokenStore} from 'regrant';
import {authSpec} from './auth.spec.ts';
import {faultsSpec} from '../faults/faults.spec.ts';
import {createLabClient, type LabFacts} from './lab-client.ts';
import {loginSpec} from './login.spec.ts';
import {assertionsSpec, dpopSpec} from './proofs.spec.ts';

/** What a runtime cannot do, or does differently. The reason is where a runtime sets the trait. */
export interface Traits {
	/** The runtime is a page: client secrets are refused, and only the browser follows redirects. */
	readonly isPage?: boolean;
	/** The runtime cannot send streams. */
	readonly lacksStreams?: boolean;
	/** An aborted `fetch` does not reject with the signal's reason. */
	readonly losesReasons?: boolean;
	/** An aborted `fetch` rejects with a copy of the signal's reason. */
	readonly copiesReasons?: boolean;
	/** The runtime hides headers of another origin that CORS does not expose. */
	readonly hidesHeaders?: boolean;
	/** Adds `Authorization` again if a redirect follows the one that dropped it. */
	readonly restoresAuthorization?: boolean;
	/** Throws outside of `fetch` if a redirect leads to a URL with credentials. */
	readonly failsAtCredentials?: boolean;
	/** Prints a value as the console does, if the runtime has a function for that. */
	inspect?(value: unknown): string;
}

/** The outcome of one test. */
export interface Outcome {
	readonly title: string;
	/** What went wrong. Undefined if the test passed. */
	readonly error?: string;
}

/** The report of a run. */
export interface Report {
	readonly runtime: string;
	/** The path of the file that `regrant` resolves to, if the runtime resolves package names. */
	readonly resolved?: string;
	readonly outcomes: readonly Outcome[];
}

/** The stores of a runtime, besides memory. */
export type Stores = Readonly<Record<string, () => TokenStore>>;

interface Test {
	readonly title: string;
	readonly run: () => Promise<void>;
}

/** How many cases of the catalogue run at once. Each has servers of its own, and many of them only wait. */
const crowd = 12;

/** Runs the specification, one test after another, and then the catalogue of faults. */
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

	// Waits for one more request, because unhandled rejections are reported late.
	await lab.log();
	await perform({title: 'no rejection is left to nobody', run: async () => equal(unhandled().map(String), [])});
	await perform({title: 'the console is not written to', run: async () => equal(output(), [])});
	return {runtime, outcomes};
}

function equal(actual: unknown, expected: unknown): void {
	const [is, should] = [actual, expected].map(value => (value === undefined ? 'undefined' : JSON.stringify(value)));
	if (is !== should) throw new Error(`${is} is not ${should}`);
}

/**
A test fails after this many milliseconds, so that the runner always gets a report. On a busy machine, the slowest take more than 30 seconds.
*/
const patience = 180_000;

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

/**
Returns a function that gives the reasons of all unhandled rejections. Node has no such events, and exits at the first unhandled rejection.
*/
function watchRejections(): () => unknown[] {
	const reasons = new Map<Promise<unknown>, unknown>();
	const target = globalThis as RejectionTarget; // the DOM's types know these events only for windows
	target.addEventListener?.('unhandledrejection', ({promise, reason}) => void reasons.set(promise, reason));
	// Workers report a rejection too early, and withdraw the report when it is handled.
	target.addEventListener?.('rejectionhandled', ({promise}) => void reasons.delete(promise));
	return () => [...reasons.values()];
}

/** Records what is written to the console. The returned function restores the console and returns the texts. */
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
