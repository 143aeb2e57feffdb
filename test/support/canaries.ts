import {inspect} from 'node:util';

/** Searches everything that a test has recorded for secrets. */
export interface Canaries {
	/** Registers a secret. The label names it in a failure. */
	plant(secret: string, label?: string): void;
	/** Registers all secrets of a server, with their names. */
	plantAll(secrets: ReadonlyMap<string, string>): void;
	/** Records any value that could be printed, such as an error, an event or a line of console output. Returns the value. */
	see<T>(value: T): T;
	/** Waits for a rejection, records its reason and returns it. Throws if there is none. */
	rejection(promise: PromiseLike<unknown>): Promise<unknown>;
	/** Throws if any rendering of a recorded value has a planted secret in it, or the first ten characters of one. */
	scan(): void;
}

/**
The number of characters by which a secret is recognised. Nobody can guess a token from nine characters, and shorter texts occur by chance.
*/
const prefixLength = 10;
const depth = 9;

/** Creates a scan without secrets or recorded values. */
export function createCanaries(): Canaries {
	const planted = new Map<string, string>();
	const seen = new Set<unknown>();
	const see = <T>(value: T): T => {
		seen.add(value);
		return value;
	};
	const plant = (secret: string, label = 'secret'): void => {
		for (const spelling of spellings(secret)) planted.set(spelling.slice(0, prefixLength), label);
	};
	return {
		plant,
		plantAll(secrets) {
			for (const [secret, label] of secrets) plant(secret, label);
		},
		see,
		async rejection(promise) {
			let value: unknown;
			try {
				value = await promise;
			} catch (error) {
				return see(error);
			}
			throw new Error(`Expected a rejection, not ${typeof value}`);
		},
		scan() {
			const clean = new Set<string>();
			for (const value of seen) scanValue(value, planted, clean);
		},
	};
}

/** Returns the text itself and its escaped forms in URLs, forms and JSON. */
function spellings(secret: string): Set<string> {
	if (secret === '') throw new Error('An empty secret is everywhere');
	const form = new URLSearchParams({'': secret}).toString().slice(1);
	return new Set([secret, form, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
}

/** All the ways in which a program can print a value. */
const renderings: Readonly<Record<string, (value: unknown) => string>> = {
	'the message and the own strings': ownStrings,
	'the stack': value => {
		const {stack} = Object(value) as {stack?: unknown};
		return typeof stack === 'string' ? stack : '';
	},
	'JSON.stringify': value => JSON.stringify(value) ?? '',
	String,
	'util.inspect': value =>
		inspect(value, {depth, showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity}),
	'the causes and properties within': strings,
};

function scanValue(value: unknown, planted: ReadonlyMap<string, string>, clean: Set<string>): void {
	for (const [name, render] of Object.entries(renderings)) {
		const text = attempt(() => render(value));
		if (clean.has(text)) continue; // a thousand callers get a thousand equal errors
		const position = findSecret(text, planted);
		if (position !== undefined) throw new Error(describe(name, value, text, position, planted));
		clean.add(text);
	}
}

/** If rendering a value throws, it shows nothing. */
function attempt(render: () => string): string {
	try {
		return render();
	} catch {
		return '';
	}
}

// Searches the text in a single pass, because a load test can issue very many tokens.
function findSecret(text: string, planted: ReadonlyMap<string, string>): number | undefined {
	for (const prefix of planted.keys()) {
		if (prefix.length < prefixLength && text.includes(prefix)) return text.indexOf(prefix);
	}
	for (let position = 0; position + prefixLength <= text.length; position++) {
		if (planted.has(text.slice(position, position + prefixLength))) return position;
	}
	return undefined;
}

function describe(
	rendering: string,
	value: unknown,
	text: string,
	position: number,
	planted: ReadonlyMap<string, string>,
): string {
	const label = planted.get(text.slice(position, position + prefixLength)) ?? 'short secret';
	const subject = value instanceof Error ? value.name : (inspect(value, {depth: 0}).split('\n')[0] ?? '').slice(0, 40);
	const excerpt = text.slice(Math.max(0, position - 60), position + prefixLength).replace(/\s+/g, ' ');
	return `A canary shows, a planted ${label}: in ${rendering} of ${subject}: …${excerpt}…`;
}

function ownStrings(value: unknown): string {
	if (typeof value !== 'object' || value === null) return String(value);
	const keys = Reflect.ownKeys(value).filter(key => key !== 'stack'); // `stack` has its own rendering
	const values = keys.map(key => read(value, key));
	return [read(value, 'message'), ...values].filter(text => typeof text === 'string').join('\n');
}

/**
Returns all texts that can be reached from a value: keys and values, enumerable or not, causes, `AggregateError.errors` and entries of
collections.
*/
function strings(root: unknown): string {
	const found: string[] = [];
	const visited = new Set<unknown>([globalThis]);
	let level: unknown[] = [root];
	for (let distance = 0; distance <= depth && level.length > 0; distance++) {
		const next: unknown[] = [];
		for (const value of level) {
			if (typeof value === 'string') found.push(value);
			if (!isWalkable(value) || visited.has(value)) continue;
			visited.add(value);
			next.push(...parts(value));
		}
		level = next;
	}
	return found.join('\n');
}

function isWalkable(value: unknown): value is object {
	return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function parts(value: object): unknown[] {
	if (ArrayBuffer.isView(value)) return [new TextDecoder().decode(value)];
	const keys = Reflect.ownKeys(value);
	const texts = keys.map(key => (typeof key === 'symbol' ? key.description : key));
	// `headers` and `url` are getters of the platform's Request and Response, which ky's errors hold.
	return [...texts, ...[...keys, 'cause', 'errors', 'headers', 'url'].map(key => read(value, key)), ...entries(value)];
}

function entries(value: object): unknown[] {
	const found: unknown[] = [];
	const each = read(value, 'forEach');
	if (typeof each === 'function' && !Array.isArray(value))
		each.call(value, (item: unknown, key: unknown) => found.push(key, item));
	return found;
}

/** If a getter throws, it shows nothing. */
function read(value: object, key: PropertyKey): unknown {
	try {
		return Reflect.get(value, key);
	} catch {
		return undefined;
	}
}
