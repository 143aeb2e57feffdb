import {build} from 'esbuild';
import {Miniflare} from 'miniflare';
import type {VaultStub} from '../../src/stores/cloudflare.ts';

/** The oldest compatibility date that is tested, one between, and that of the workerd that is installed. */
export const compatibilityDates = ['2024-01-01', '2025-08-31', '2026-11-02'] as const;

/** What a worker finds in its `env` as text. */
type Bindings = Readonly<Record<string, string>>;

/** How the workers are to be. */
export interface WorkersOptions {
	/** What runs: `test/e2e/workerd/worker.ts` by default. */
	readonly entry?: string;
	/** What it finds by the name of the package: `src`, as it is, by default, or what was built of it. */
	readonly source?: 'src' | 'built';
	/** Text bindings, of all isolates or of each. */
	readonly env: Bindings | ((isolate: number) => Bindings);
	readonly compatibilityDate?: string;
	/** How many isolates, each with a socket of its own: 3 by default. */
	readonly isolates?: number;
	/** The kind of storage of the objects: `sqlite` by default. */
	readonly storage?: 'sqlite' | 'legacy-kv';
	/** A folder in which the storage outlives the process. */
	readonly persistence?: string;
	/** Hears what is logged. By default nobody does: uncaught errors of a test that breaks something are no news. */
	readonly onLog?: (message: string) => void;
}

/** Running isolates of one worker, as if on as many machines. They share the objects. */
export interface Workers {
	/** The origins of the isolates. */
	readonly origins: readonly string[];
	/** A stub of the vault of this name, over a real socket through the first isolate. */
	stub(name: string): VaultStub;
	/** What only a test may do with a vault: `restart`, `fail`, `put`, `get`. */
	probe(name: string, path: string, body?: unknown): Promise<unknown>;
	/** Removes an idle object from memory, as the platform does. */
	evict(name: string): Promise<void>;
	stop(): Promise<void>;
}

/** Starts a workerd. Each isolate has loaded the module for itself. */
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

/** What a route of `test/e2e/workerd/worker.ts` answers. */
export interface Outcome {
	readonly value?: unknown;
	/** The name of the error, and its reason or code. */
	readonly error?: string;
}

/** Asks an isolate. */
export async function ask(url: string, body?: unknown): Promise<Outcome> {
	const init = body === undefined ? {} : {method: 'POST', body: JSON.stringify(body)};
	return (await (await fetch(url, init)).json()) as Outcome;
}

const toText = (bindings: Bindings): Record<string, {readonly type: 'text'; readonly value: string}> =>
	Object.fromEntries(Object.entries(bindings).map(([key, value]) => [key, {type: 'text', value}]));

const bundles = new Map<string, Promise<string>>();

/** One module with all it needs. */
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
