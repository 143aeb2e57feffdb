// Run by Deno: the suite of the stores on a real Deno KV, with a report for each test.
import process from 'node:process';
import {denoKvStore} from '../../../src/stores/deno-kv.ts';
import {createLabClient, type LabFacts} from '../../shared/lab-client.ts';
import {type Place, tokenStoreSpec} from '../../support/token-store-spec.ts';

type Kv = Parameters<typeof denoKvStore>[0] & {close(): void};

const {Deno} = globalThis as unknown as {readonly Deno: {openKv(path: string): Promise<Kv>}}; // it is run by Deno
const [facts, file = ''] = [JSON.parse(process.argv[2] ?? '') as LabFacts, process.argv[3]];
const lab = createLabClient(facts);
const open: Kv[] = [];
const connect = async (): Promise<Kv> => {
	const kv = await Deno.openKv(file);
	open.push(kv);
	return kv;
};
const admin = await connect();
let places = 0;

const createPlace = async (): Promise<Place> => {
	const key = ['place', ++places];
	return {
		holder: async () => denoKvStore(await connect(), key),
		peek: async () => ((await admin.get(key)).value ?? undefined) as string | undefined, // as a store has set it
		poke: async text => void (await admin.set(key, text)),
		abandonLock: async () => {
			const kv = await connect();
			const held = Promise.withResolvers<void>();
			const store = denoKvStore(kv, key, {lease: 200});
			store
				.lock?.(() => {
					held.resolve();
					return new Promise(() => {});
				})
				.catch(() => {});
			await held.promise;
			kv.close();
			open.splice(open.indexOf(kv), 1);
		},
		breakable: async () => {
			let kv = await connect();
			const current = new Proxy({} as Kv, {
				get: (_, name) => {
					const member: unknown = Reflect.get(kv, name);
					return typeof member === 'function' ? member.bind(kv) : member;
				},
			});
			return {
				// The lock of one that was cut off stays for its lease.
				store: denoKvStore(current, key, {lease: 300}),
				breaks: async () => {
					kv.close();
					open.splice(open.indexOf(kv), 1);
				},
				mends: async () => {
					kv = await connect();
				},
			};
		},
	};
};

const tests: Array<readonly [title: string, run: () => Promise<void>]> = [];
tokenStoreSpec({
	test: (title, run) => void tests.push([title, run]),
	equal: (actual, expected) => {
		const [is, should] = [actual, expected].map(value => JSON.stringify(value, Object.keys(flat(value)).toSorted()));
		if (is !== should) throw new Error(`${is} is not ${should}`);
	},
	place: createPlace,
	// To watch a key would keep a script from ending.
	lacks: ['subscribe'],
	server: {
		tokenEndpoint: () => lab.tokenEndpoint,
		revocationEndpoint: () => lab.revocationEndpoint,
		api: () => lab.api,
		clientId: lab.app,
		mint: lab.mint,
		expire: lab.expire,
		grants: async () => (await lab.log()).grants.length,
	},
});

/** Every name in a value, so that the order of names is nothing to a comparison. */
function flat(value: unknown): Record<string, true> {
	if (typeof value !== 'object' || value === null) return {};
	const names = Object.entries(value).flatMap(([name, part]) => [[name, true] as const, ...Object.entries(flat(part))]);
	return Object.fromEntries(names);
}

for (const [title, run] of tests) {
	await lab.reset();
	let error: string | undefined;
	try {
		await run();
	} catch (caught) {
		error = caught instanceof Error ? `${caught.message}\n${caught.stack}` : String(caught);
	}
	console.log(`TEST ${JSON.stringify({title, error})}`);
}
for (const kv of open) kv.close();
