import {build} from 'esbuild';
import {Miniflare} from 'miniflare';
import type {VaultStub} from '../../src/stores/cloudflare.ts';

/** The oldest compatibility date that is tested, one in between, and that of the installed workerd. */
export const compatibilityDates = ['2024-01-01', '2025-08-31', '2026-11-02'] as const;

/** The text bindings in the `env` of a worker. */
type Bindings = Readonly<Record<string, string>>;

/** Options of the workers. */
export interface WorkersOptions {
	/** The script that runs. Default: `test/e2e/workerd/worker.ts`. */
	readonly entry?: string;
	/** What the name of the package resolves to: `src` (the default), or the built package. */
	readonly source?: 'src' | 'built';
	/** The text bindings: the same for all isolates, or chosen for each. */
	readonly env: Bindings | ((isolate: number) => Bindings);
	readonly compatibilityDate?: string;
	/** The number of isolates, each with a socket of its own. Default: 3. */
	readonly isolates?: number;
	/** The kind of storage of the objects. Default: `sqlite`. */
	readonly storage?: 'sqlite' | 'legacy-kv';
	/** A folder for the storage, so that it outlives the process. */
	readonly persistence?: string;
	/** Gets the log messages. By default they are dropped, because a test that breaks something logs uncaught errors. */
	readonly onLog?: (message: string) => void;
}

/** Running isolates of one worker, as if each ran on another machine. They share the Durable Objects. */
export interface Workers {
	/** The origins of the isolates. */
	readonly origins: readonly string[];
	/** Returns a stub of the vault with this name. It uses a real socket of the first isolate. */
	stub(name: string): VaultStub;
	/** Does to a vault what only a test may do: `restart`, `fail`, `put` or `get`. */
	probe(name: string, path: string, body?: unknown): Promise<unknown>;
	/** Removes an idle object from memory, as the platform does. */
	evict(name: string): Promise<void>;
	stop(): Promise<void>;
}

/** Starts workerd. Each isolate loads the module for itself. */
export async function startWorkers({
	entry = 'test/e2e/workerd/worker.ts',
	source = 'src',
	env,
	compatibilityDate = compatibilityDates[2],
	isolates = 3,
	storage = 'sqlite',
	persistence,
	onLog = () => {},
}: WorkersOptions): Promise<Workers> {
	const script = await bundle(entry, source);
	const names = Array.from({length: isolates}, (_, index) => `isolate-${index}`);
	const [first = ''] = names;
	const miniflare = new Miniflare({
		host: '127.0.0.1',
		port: 0,
		telemetry: {enabled: false},
		handleStructuredLogs: ({message}) => onLog(message),
		...(persistence !== undefined && {resourcePersistencePath: persistence}),
		workers: names.map((name, index) => ({
			config: {
				name,
				compatibilityDate,
				compatibilityFlags: [],
				manifest: {
					mainModule: 'worker.js',
					modulesRoot: process.cwd(),
					modules: {'worker.js': {type: 'esm', contents: script}},
				},
				env: {
					...toText(typeof env === 'function' ? env(index) : env),
					VAULT: {type: 'durable-object' as const, worker: first, exportName: 'TokenVault'},
				},
				...(name === first && {exports: {TokenVault: {type: 'durable-object' as const, storage}}}),
			},
			dev: {unsafeDirectSockets: [{host: '127.0.0.1', port: 0}]},
		})),
	});
	await miniflare.ready;
	const urls = await Promise.all(names.map(name => miniflare.unsafeGetDirectURL(name)));
	const origins = urls.map(({origin}) => origin);
	return {
		origins,
		stub: name => ({
			fetch: async (_, request) => {
				const answer = await fetch(`${origins[0]}/vault/${name}`, request);
				if (answer.status === 599) throw new Error('The object was reset');
				return answer;
			},
		}),
		probe: async (name, path, body) => {
			const answer = await fetch(`${origins[0]}/probe/${name}/${path}`, {
				method: 'POST',
				body: JSON.stringify(body) ?? '',
			});
			return answer.ok ? answer.json() : undefined;
		},
		evict: async name => miniflare.unsafeEvictDurableObject(first, 'TokenVault', {name}),
		stop: () => miniflare.dispose(),
	};
}

/** The answer of a route of `test/e2e/workerd/worker.ts`. */
export interface Outcome {
	readonly value?: unknown;
	/** The name of the error and its reason or code. */
	readonly error?: string;
}

/** Sends a request to an isolate. */
export async function ask(url: string, body?: unknown): Promise<Outcome> {
	const init = body === undefined ? {} : {method: 'POST', body: JSON.stringify(body)};
	return (await (await fetch(url, init)).json()) as Outcome;
}

const toText = (bindings: Bindings): Record<string, {readonly type: 'text'; readonly value: string}> =>
	Object.fromEntries(Object.entries(bindings).map(([key, value]) => [key, {type: 'text', value}]));

const bundles = new Map<string, Promise<string>>();

/** Bundles a module with everything that it imports. */
async function bundle(entry: string, source: 'src' | 'built'): Promise<string> {
	const bundled = async (): Promise<string> => {
		const {outputFiles} = await build({
			entryPoints: [entry],
			bundle: true,
			write: false,
			format: 'esm',
			target: 'es2022',
			external: ['cloudflare:*'],
			...(source === 'src' && {
				alias: {
					regrant: './src/index.ts',
					'regrant/cloudflare': './src/stores/cloudflare.ts',
					'regrant/dpop': './src/dpop.ts',
					'regrant/jwt': './src/jwt.ts',
				},
			}),
		});
		return outputFiles[0]?.text ?? '';
	};
	const key = `${source} ${entry}`;
	const known = bundles.get(key) ?? bundled();
	bundles.set(key, known);
	return known;
}
