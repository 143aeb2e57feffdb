// Run by Deno: runs the specification of the stores on a real Deno KV, and reports the outcome of each test.
import process from 'node:process';
import {denoKvDriver} from '../../../src/stores/deno-kv-driver.ts';
import {createLabClient, type LabFacts} from '../../shared/lab-client.ts';
import {type Place, tokenStoreSpec} from '../../support/token-store-spec.ts';

type Kv = Parameters<typeof denoKvDriver>[0] & {close(): void};

const {Deno} = globalThis as unknown as {readonly Deno: {openKv(path: string): Promise<Kv>}}; // only Deno runs this script
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
		holder: async () => denoKvDriver(await connect(), key),
		peek: async () => ((await admin.get(key)).value ?? undefined) as string | undefined, // the driver stores a string
		poke: async text => void (await admin.set(key, text)),
		abandonLock: async () => {
			const kv = await connect();
			const held = Promise.withResolvers<void>();
			const store = denoKvDriver(kv, key, {lease: 200});
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
				// A holder that lost its connection keeps the lock until its lease ends, so the lease is short.
				store: denoKvDriver(current, key, {lease: 1_500}),
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
	// A script that watches a key would not end by itself.
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

const token = {access_token: 'a', token_type: 'Bearer', issued_at: 1};
const sleep = (milliseconds: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, milliseconds));
const expect = (isSo: boolean, what: string): void => {
	if (!isSo) throw new Error(`Not so: ${what}`);
};

tests.push([
	'a session that is abandoned is deleted when its ttl has passed, and one that is refreshed, or has none, is not',
	async () => {
		const path = `${file}-ttl`;
		const isThere = async (kv: Kv, name: string): Promise<boolean> =>
			(await denoKvDriver(kv, ['ttl', name]).get()) !== undefined;
		const writer = await Deno.openKv(path);
		for (const [name, ttl] of [
			['abandoned', 1],
			['refreshed', 1],
			['for ever', undefined],
		] as const) {
			await denoKvDriver(writer, ['ttl', name], {ttl}).set(token);
			expect(await isThere(writer, name), `${name} is there at first`);
		}
		const refreshed = denoKvDriver(writer, ['ttl', 'refreshed'], {ttl: 3_600});
		const isWritten = await refreshed.replace?.(await refreshed.get(), token);
		expect(isWritten === true, 'a record can be written over itself');
		await sleep(1_500);
		writer.close();
		// Deno deletes expired records when a database is opened, and from time to time after that.
		const reader = await Deno.openKv(path);
		for (let tries = 0; tries < 100 && (await isThere(reader, 'abandoned')); tries++) await sleep(100);
		expect(!(await isThere(reader, 'abandoned')), 'the abandoned one is deleted');
		expect(await isThere(reader, 'refreshed'), 'the refreshed one is not');
		expect(await isThere(reader, 'for ever'), 'the one without a ttl is not');
		reader.close();
	},
]);

tests.push([
	'a record that is written twice, since the answer was lost, counts as written [F-94]',
	async () => {
		const [here, there] = [denoKvDriver(admin, 'twice'), denoKvDriver(admin, 'twice')];
		await here.set(token);
		const found = await here.get();
		const next = {...token, access_token: 'b'};
		expect((await here.replace?.(found, next)) === true, 'the first time');
		expect((await there.replace?.(found, next)) === false, 'by another store, which has not read it');
		expect((await here.replace?.(next, next)) === true, 'the second time');
	},
]);

tests.push([
	'a lease that a script has left long ago is had by a script that runs for seconds [F-97]',
	async () => {
		await admin.set(['left', 'regrant lease'], {owner: 'gone', at: Date.now() - 86_400_000});
		const begun = performance.now();
		const store = denoKvDriver(admin, ['left'], {lease: 10_000});
		expect((await store.lock?.(async () => 'had')) === 'had', 'it is had');
		expect(performance.now() - begun < 9_500, 'before the lease is over');
	},
]);

/** Returns every property name in a value, so that two values can be compared whatever the order of their names. */
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
