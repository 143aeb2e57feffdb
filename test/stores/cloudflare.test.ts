import {inspect} from 'node:util';
import {describe, expect, vi} from 'vitest';
import {ConfigError, createAuth, StoreError, type TokenSet} from '../../src/index.ts';
import {durableObjectStore, type VaultStub} from '../../src/stores/cloudflare.ts';
import {durableObjectDriver} from '../../src/stores/durable-object-driver.ts';
import {app, type AuthorizationServer} from '../support/authorization-server.ts';
import {type StoreRunner, tokenStoreSpec} from '../support/token-store-spec.ts';
import type {Workers} from '../support/workers.ts';
import {createMemoryVault, createVaultPlace, tellVault} from '../support/workers-place.ts';
import {test} from '../support/workers-test.ts';

const token: TokenSet = {access_token: 'hunter2hunter2', token_type: 'bearer', refresh_token: 'hunter2', issued_at: 1};
const next: TokenSet = {access_token: 'hunter3hunter3', token_type: 'bearer', issued_at: 2};

describe('over sockets', {timeout: 30_000}, () => {
	let current: {readonly server: AuthorizationServer; readonly workers: Workers} | undefined;
	const here = (): {readonly server: AuthorizationServer; readonly workers: Workers} => {
		if (!current) throw new Error('They are there while a test runs.');
		return current;
	};

	tokenStoreSpec({
		test: (title, run) =>
			test(title, async ({server, workersAt}) => {
				current = {server, workers: await workersAt()};
				await run();
			}),
		equal: (actual, expected) => expect(actual).toEqual(expected),
		place: async () => {
			const name = crypto.randomUUID();
			return createVaultPlace(() => here().workers.stub(name));
		},
		lacks: ['subscribe'], // Workers do not let one request use a connection of another
		server: {
			tokenEndpoint: () => here().server.tokenEndpoint,
			revocationEndpoint: () => here().server.revocationEndpoint,
			api: () => here().server.api,
			clientId: app.clientId,
			mint: async () => here().server.mint(),
			expire: async accessToken => here().server.expire(accessToken),
			grants: async () => here().server.tokenRequests.length,
		},
	});
});

/** Returns the titles of the specification. The tests themselves run inside a worker. */
function readTitles(): string[] {
	const titles: string[] = [];
	const unused = new Proxy({}, {}) as StoreRunner['server'];
	tokenStoreSpec({
		test: title => void titles.push(title),
		equal: () => {},
		place: () => Promise.reject(new Error('Not here')),
		lacks: ['subscribe'],
		server: unused,
	});
	return titles;
}

describe.each([
	['2024-01-01', 'legacy-kv'],
	['2026-11-02', 'sqlite'],
] as const)('inside a worker of %s, in storage of the kind %s', {timeout: 30_000}, (compatibilityDate, storage) => {
	test.for(readTitles().map((title, index) => [title, index] as const))(
		'%s',
		async ([, index], {server, workersAt, serve}) => {
			const {origins} = await workersAt({compatibilityDate, storage, isolates: 1});
			const control = await serve(async ({url}) => {
				const {pathname, searchParams} = new URL(url);
				if (pathname === '/mint') return Response.json(await server.mint());
				if (pathname === '/grants') return Response.json(server.tokenRequests.length);
				await server.expire(searchParams.get('accessToken') ?? '');
				return Response.json(null);
			});
			const answer = await fetch(`${origins[0]}/spec/${index}?${new URLSearchParams({control: control.origin})}`);
			expect(await answer.text()).toBe('passed');
		},
	);
});

describe('a durableObjectStore', () => {
	const stub: VaultStub = {fetch: () => Promise.reject(new Error('Not to be reached'))};

	test.for([
		['a stub in place of a function', () => durableObjectStore(stub as never), 'stub'],
		['nothing', () => durableObjectStore(undefined as never), 'stub'],
		['an option with a typing error', () => durableObjectStore(() => stub, {tll: 60} as never), 'tll is not an option'],
		['a lease that is no number', () => durableObjectStore(() => stub, {lease: '1' as never}), 'lease'],
		['a lease that is too short', () => durableObjectStore(() => stub, {lease: 99}), 'lease'],
		['a lease without end', () => durableObjectStore(() => stub, {lease: Infinity}), 'lease'],
		['a lease beyond the longest', () => durableObjectStore(() => stub, {lease: 600_001}), 'lease'],
	] as const)('a durableObjectStore refuses %s at once, and says what it must be', ([, create, name], {canaries}) => {
		let error: unknown;
		try {
			create();
		} catch (thrown) {
			error = canaries.see(thrown);
		}
		expect(error).toBeInstanceOf(ConfigError);
		expect((error as Error).message).toContain(name);
	});

	test.for<[title: string, stub: () => unknown]>([
		['nothing', () => undefined],
		['a promise of a stub', async () => stub],
		['the namespace', () => ({getByName: () => stub})],
	])('a durableObjectStore says what is wrong if its function gives %s', async ([, give]) => {
		const store = durableObjectStore(give as () => VaultStub);
		const auth = createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'app', store});
		const message = 'stub gave no stub of a Durable Object';
		await expect(auth.setToken({access_token: 'a', refresh_token: 'r'})).rejects.toMatchObject({
			code: 'store_write',
			message,
		});
		await expect(auth.refresh()).rejects.toMatchObject({code: 'lock_timeout', message});
	});

	test('a durableObjectStore asks for nothing, not even a stub, before it is used [R83]', () => {
		let stubs = 0;
		const store = durableObjectStore(() => {
			stubs++;
			return stub;
		});
		createAuth({tokenEndpoint: 'https://login.example.com/token', clientId: 'app', store});
		expect(stubs).toBe(0);
	});

	test('a durableObjectStore asks for a stub anew each time, since that of one request is dead in the next', async ({
		workersAt,
	}) => {
		const workers = await workersAt();
		let stubs = 0;
		const store = durableObjectDriver(() => {
			stubs++;
			let uses = 0;
			const {fetch} = workers.stub('anew');
			return {fetch: (...given) => (uses++ > 0 ? Promise.reject(new Error('dead')) : fetch(...given))};
		});
		await store.set(token);
		expect(await store.get()).toEqual(token);
		await store.lock?.(async () => store.delete());
		expect(stubs).toBe(5);
	});

	test('a durableObjectStore offers no subscription', () => {
		expect(durableObjectDriver(() => stub).subscribe).toBeUndefined();
	});

	test('a durableObjectStore shows nothing of its token, however it is printed', async ({workersAt, canaries}) => {
		const workers = await workersAt();
		canaries.plant(token.access_token);
		const store = durableObjectDriver(() => workers.stub('printed'));
		await store.set(token);
		await store.get();
		canaries.see(store);
		expect(inspect(store, {depth: 9, showHidden: true})).not.toContain('hunter2');
	});

	test('a durableObjectStore keeps the text of the record as it is', async ({workersAt}) => {
		const workers = await workersAt();
		await durableObjectDriver(() => workers.stub('text')).set(token);
		const {record} = (await workers.probe('text', 'get')) as {readonly record: string};
		expect(JSON.parse(record)).toEqual(token);
	});
});

describe('an object that cannot be reached for a moment', () => {
	/** A stub that fails at the first call of each operation: before the object gets it, or after the object has carried it out. */
	const flaky = (workers: Workers, name: string, when: 'before' | 'after'): (() => VaultStub) => {
		let count = 0;
		return () => {
			const isFailing = count++ % 2 === 0;
			const {fetch} = workers.stub(name);
			return {
				fetch: async (...given) => {
					if (isFailing && when === 'before') throw new Error('Durable Object reset because its code was updated.');
					const answer = await fetch(...given);
					if (isFailing) throw new Error('Network connection lost.');
					return answer;
				},
			};
		};
	};

	test.for(['before', 'after'] as const)(
		'an object that cannot be reached for a moment is asked again, whether the request was lost or its answer: %s it was done',
		async (when, {workersAt}) => {
			const workers = await workersAt();
			const store = durableObjectDriver(flaky(workers, `flaky-${when}`, when));
			await store.set(token);
			const found = await store.get();
			expect(found).toEqual(token);
			expect(await store.replace?.(found, next)).toBe(true);
			expect(await store.replace?.(found, token)).toBe(false);
			expect(await store.lock?.(async isHeld => isHeld?.())).toBe(true);
			await store.delete();
			expect(await store.get()).toBeUndefined();
		},
	);

	test('an object that cannot be reached is given up after a few tries, with an error that reveals nothing', async ({
		canaries,
	}) => {
		canaries.plant(token.access_token);
		let questions = 0;
		const store = durableObjectDriver(() => {
			questions++;
			throw new Error(`Of the platform, with ${token.access_token}`);
		});
		const errors = await Promise.all([
			canaries.rejection(Promise.resolve(store.get())),
			canaries.rejection(Promise.resolve(store.set(token))),
			canaries.rejection(Promise.resolve(store.lock?.(async () => {}))),
		]);
		expect(errors).toEqual([
			new StoreError('store_read'),
			new StoreError('store_write'),
			new StoreError('store_write'),
		]);
		expect(questions).toBeLessThan(20);
	});

	test('a slow write is not repeated: a sign-out may have come in between [R76]', async ({onTestFinished}) => {
		let time = 0;
		const now = vi.spyOn(performance, 'now').mockImplementation(() => time);
		onTestFinished(() => now.mockRestore());
		const questions: string[] = [];
		const slow: VaultStub = {
			fetch: async (_, {body}) => {
				questions.push(body);
				time += 2_000;
				throw new Error('Network connection lost.');
			},
		};
		await expect(durableObjectDriver(() => slow).set(token)).rejects.toThrow('store_write');
		expect(questions.length).toBe(1);
	});

	test.for([
		['an answer of another object', () => new Response('hunter2hunter2')],
		['an answer in another form', () => Response.json({text: 'hunter2hunter2'})],
		['a refusal', () => new Response('"hunter2hunter2"', {status: 500})],
	] as const)('an object that answers %s is refused', async ([, answer], {canaries}) => {
		canaries.plant(token.access_token);
		const store = durableObjectDriver(() => ({fetch: async () => answer()}));
		expect(await canaries.rejection(Promise.resolve(store.get()))).toEqual(new StoreError('store_read'));
		expect(await canaries.rejection(Promise.resolve(store.delete()))).toEqual(new StoreError('store_write'));
		expect(await canaries.rejection(Promise.resolve(store.replace?.(undefined, token)))).toEqual(
			new StoreError('store_write'),
		);
	});
});

test('a TokenVault is a plain class that uses only the storage of Workers', async () => {
	const {stub} = createMemoryVault();
	await durableObjectDriver(() => stub).set(token);
	expect(await tellVault(stub, {op: 'read'})).toContain(token.access_token);
});
