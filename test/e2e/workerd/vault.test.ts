import {mkdtempSync, rmSync} from 'node:fs';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, vi} from 'vitest';
import {LockError, type TokenSet} from '../../../src/index.ts';
import {durableObjectDriver, type VaultStub} from '../../../src/stores/durable-object-driver.ts';
import type {StoreDriver} from '../../../src/stores/shared/store-driver.ts';
import {createGate} from '../../support/scenario.ts';
import {startWorkers, type Workers} from '../../support/workers.ts';
import {createMemoryVault, tellVault} from '../../support/workers-place.ts';
import {test} from '../../support/workers-test.ts';

const token: TokenSet = {access_token: 'hunter2hunter2', token_type: 'bearer', refresh_token: 'hunter2', issued_at: 1};
const forLong = 600_000;

/** Acquires the lock for another owner, and does not release it. */
const lend = async (stub: VaultStub, owner: string, lease = forLong): Promise<unknown> =>
	tellVault(stub, {op: 'acquire', owner, lease});
const free = async (stub: VaultStub, owner: string): Promise<unknown> => tellVault(stub, {op: 'release', owner});

/** Asks once for a lock that somebody else has. The wait for it is aborted after the vault has certainly received the request. */
async function expectLocked(store: StoreDriver): Promise<void> {
	const waiting = new AbortController();
	const had = store.lock?.(async () => true, waiting.signal);
	const ended = (async () => {
		for (let rounds = 0; rounds < 5; rounds++) await store.get();
		waiting.abort();
	})();
	await expect(had).rejects.toEqual(new LockError());
	await ended;
}

describe.each(['sqlite', 'legacy-kv'] as const)('a vault in storage of the kind %s', {timeout: 30_000}, storage => {
	test('a vault replaces its record for one of sixty that ask at once', async ({workersAt}) => {
		const {stub} = await workersAt({storage, isolates: 1});
		await tellVault(stub('at-once'), {op: 'write', text: 'first'});
		const texts = Array.from({length: 60}, (_, index) => `text ${index}`);
		const answers = await Promise.all(
			texts.map(async text => tellVault(stub('at-once'), {op: 'compareAndSet', found: 'first', text})),
		);
		expect(answers.filter(Boolean).length).toBe(1);
		expect(await tellVault(stub('at-once'), {op: 'read'})).toBe(texts[answers.indexOf(true)]);
	});

	test('a vault lends its lock to one of sixty that ask at once', async ({workersAt}) => {
		const {stub} = await workersAt({storage, isolates: 1});
		const owners = Array.from({length: 60}, (_, index) => `owner ${index}`);
		const leaving = new AbortController();
		let answers = 0;
		const first = Promise.withResolvers<unknown>();
		const asked = owners.map(async owner => {
			const isLent = await tellVault(stub('lock-at-once'), {op: 'acquire', owner, lease: forLong}, leaving.signal);
			answers++;
			first.resolve(isLent);
		});
		expect(await first.promise).toBe(true);
		for (let rounds = 0; rounds < 5; rounds++) await tellVault(stub('lock-at-once'), {op: 'read'});
		expect(answers).toBe(1);
		leaving.abort();
		await Promise.allSettled(asked);
	});

	test('a vault keeps the session and the lock when it is evicted from memory [F-110]', async ({workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const stub = (): VaultStub => workers.stub('evicted');
		const store = durableObjectDriver(stub);
		await store.set(token);
		await lend(stub(), 'holder');
		await workers.evict('evicted');
		expect(await store.get()).toEqual(token);
		await expectLocked(store);
		expect(await tellVault(stub(), {op: 'renew', owner: 'holder', lease: forLong})).toBe(true);
		await free(stub(), 'holder');
		expect(await store.lock?.(async () => 'had')).toBe('had');
	});

	test('a vault keeps the session and the lock when its process ends and another begins [F-110]', async ({
		runningServer,
		onTestFinished,
	}) => {
		const folder = mkdtempSync(join(tmpdir(), 'regrant-vault-'));
		const started: Workers[] = [];
		onTestFinished(async () => {
			for (const workers of started) await workers.stop();
			rmSync(folder, {recursive: true, force: true});
		});
		const start = async (): Promise<Workers> => {
			const env = {SERVER: JSON.stringify({tokenEndpoint: runningServer.tokenEndpoint, api: runningServer.api})};
			const workers = await startWorkers({env, storage, isolates: 1, persistence: folder});
			started.push(workers);
			return workers;
		};
		const before = await start();
		await durableObjectDriver(() => before.stub('kept')).set(token);
		await lend(before.stub('kept'), 'holder');
		await before.stop();
		started.length = 0;
		const after = await start();
		const store = durableObjectDriver(() => after.stub('kept'));
		expect(await store.get()).toEqual(token);
		await expectLocked(store);
		await free(after.stub('kept'), 'holder');
		expect(await store.lock?.(async () => 'had')).toBe('had');
	});

	test('an object that restarts while holders wait for its lock makes nobody lose their turn [F-110]', async ({
		workersAt,
	}) => {
		const workers = await workersAt({storage, isolates: 1});
		const stub = (): VaultStub => workers.stub('restarted');
		const store = durableObjectDriver(stub);
		await lend(stub(), 'holder');
		const turns = Promise.all([1, 2, 3].map(async turn => store.lock?.(async () => turn)));
		for (let rounds = 0; rounds < 5; rounds++) await store.get();
		await workers.probe('restarted', 'restart');
		await free(stub(), 'holder');
		expect(await turns).toEqual([1, 2, 3]);
	});

	test('a waiter that is gone does not keep the lock', async ({workersAt}) => {
		const {stub: stubOf} = await workersAt({storage, isolates: 1});
		const stub = (): VaultStub => stubOf('ghosts');
		const store = durableObjectDriver(stub, {lease: forLong});
		await lend(stub(), 'holder');
		const leaving = new AbortController();
		const ghosts = ['ghost 1', 'ghost 2'].map(async owner =>
			tellVault(stub(), {op: 'acquire', owner, lease: forLong}, leaving.signal),
		);
		for (let rounds = 0; rounds < 5; rounds++) await store.get();
		leaving.abort();
		await Promise.allSettled(ghosts);
		const turn = store.lock?.(async () => 'had');
		await store.get();
		await free(stub(), 'holder');
		expect(await turn).toBe('had');
	});

	test('the lock of a silent holder expires, and the holder learns it when it comes back', async ({workersAt}) => {
		const {stub} = await workersAt({storage, isolates: 1});
		await lend(stub('late'), 'late', 100);
		const store = durableObjectDriver(() => stub('late'));
		const held = await store.lock?.(async isHeld => {
			expect(await tellVault(stub('late'), {op: 'renew', owner: 'late', lease: 100})).toBe(false);
			expect(await free(stub('late'), 'late')).toBe(false);
			return isHeld?.();
		});
		expect(held).toBe(true);
	});

	test('a holder that is slow, but alive, keeps the lock beyond its lease', async ({workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const endOfLease = async (): Promise<number> => {
			const {lease} = (await workers.probe('slow', 'get')) as {readonly lease: {readonly until: number}};
			return lease.until;
		};
		// If this process stood still for a whole lease, it would lose the lock, and rightly so.
		const store = durableObjectDriver(() => workers.stub('slow'), {lease: 5_000});
		const gate = createGate();
		const slow = store.lock?.(async isHeld => {
			await gate.pass();
			return isHeld?.();
		});
		await gate.reached;
		const first = await endOfLease();
		let isNext = false;
		const next = store.lock?.(async () => {
			isNext = true;
		});
		while (Date.now() < first) await store.get();
		expect(await endOfLease()).toBeGreaterThan(first);
		expect(isNext).toBe(false);
		gate.open();
		expect(await slow).toBe(true);
		await next;
	});

	test.for([
		['no text', {record: 42}],
		['a record that was never text', {record: {access_token: 'hunter2hunter2'}}],
		['null', {record: null}],
	] as const)(
		'a stored record that is %s counts as garbage, and gives way [F-89, F-90]',
		async ([title, found], {workersAt}) => {
			const workers = await workersAt({storage, isolates: 1});
			const name = `garbage, ${title}`;
			const store = durableObjectDriver(() => workers.stub(encodeURIComponent(name)));
			await workers.probe(encodeURIComponent(name), 'put', found);
			const garbage = await store.get();
			expect(garbage).toBe('');
			expect(await store.replace?.(undefined, token)).toBe(false);
			expect(await store.replace?.(garbage, token)).toBe(true);
			expect(await store.get()).toEqual(token);
		},
	);

	test.for([
		['no lease', 'hunter2'],
		['null', null],
		['without an owner', {until: 4e12}],
		['without an end', {owner: 'gone'}],
		['of another shape', {owner: {}, until: '4000000000000'}],
		['for ever', {owner: 'gone', until: 1e300}],
		['too long', {owner: 'gone', until: 4e12}],
		['over', {owner: 'gone', until: 1}],
	] as const)('a stored lease that is %s holds nobody up', async ([title, lease], {workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const name = encodeURIComponent(`lease, ${title}`);
		await workers.probe(name, 'put', {lease});
		expect(await durableObjectDriver(() => workers.stub(name)).lock?.(async () => 'had')).toBe('had');
	});

	test('a vault whose storage fails is a store that fails, and works again when the storage does [F-86, F-87]', async ({
		workersAt,
	}) => {
		const workers = await workersAt({storage, isolates: 1});
		const store = durableObjectDriver(() => workers.stub('failing'));
		await store.set(token);
		await workers.probe('failing', 'fail', true);
		await expect(store.get()).rejects.toThrow('store_read');
		await expect(store.set(token)).rejects.toThrow('store_write');
		await expect(store.delete()).rejects.toThrow('store_write');
		await expect(store.replace?.(undefined, token)).rejects.toThrow('store_write');
		await expect(store.lock?.(async () => {})).rejects.toThrow('store_write');
		await workers.probe('failing', 'fail', false);
		expect(await store.get()).toEqual(token);
		expect(await store.lock?.(async () => 'had')).toBe('had');
	});

	test('a vault deletes an abandoned session by an alarm when its ttl has passed', async ({workersAt}) => {
		for (const compatibilityDate of ['2024-01-01', '2026-11-02']) {
			const workers = await workersAt({storage, isolates: 1, compatibilityDate});
			const store = durableObjectDriver(() => workers.stub('abandoned'), {ttl: 1, lease: 5_000});
			// While the lock is held, nothing is deleted, however long these two steps take.
			await store.lock?.(async () => {
				await store.set(token);
				expect(await store.get()).toEqual(token);
			});
			await expect.poll(async () => store.get(), {timeout: 20_000}).toBe(undefined);
			expect(await workers.probe('abandoned', 'get')).toEqual({});
		}
	});

	test('a vault sets the alarm again with each write, even of the same record, and removes it without a ttl', async ({
		workersAt,
	}) => {
		const workers = await workersAt({storage, isolates: 1});
		const alarm = async (): Promise<number | undefined> =>
			((await workers.probe('alarm', 'get')) as {readonly alarm?: number}).alarm;
		const [expiring, lasting] = [{ttl: 3_600}, {}].map(options =>
			durableObjectDriver(() => workers.stub('alarm'), options),
		) as [StoreDriver, StoreDriver];
		await expiring.set(token);
		const first = (await alarm()) ?? 0;
		expect(Math.round((first - Date.now()) / 60_000)).toBe(60);
		await expect.poll(() => Date.now(), {timeout: 20_000}).toBeGreaterThan(first - 3_600_000);
		expect(await expiring.replace?.(await expiring.get(), token)).toBe(true);
		expect(await alarm()).toBeGreaterThan(first);
		await lasting.replace?.(await lasting.get(), token);
		expect(await alarm()).toBe(undefined);
		await expiring.set(token);
		await expiring.delete();
		expect(await workers.probe('alarm', 'get')).toEqual({});
	});

	test('a vault leaves nothing in storage when the session is over and nobody holds the lock', async ({workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const store = durableObjectDriver(() => workers.stub('over'));
		await store.set(token);
		await store.lock?.(async () => store.delete());
		expect(await workers.probe('over', 'get')).toEqual({});
	});
});

test('an alarm in the middle of a refresh waits until the lock is free', async () => {
	const {vault, stub, stored, alarm} = createMemoryVault();
	await durableObjectDriver(() => stub, {ttl: 60}).set(token);
	await lend(stub, 'holder', 10_000);
	await vault.alarm();
	expect(stored.has('record')).toBe(true);
	expect(alarm()).toBe((stored.get('lease') as {readonly until: number}).until);
	await free(stub, 'holder');
	await vault.alarm();
	expect([...stored]).toEqual([]);
});

test.for(['2024-01-01', '2026-11-02'])(
	'a request from outside cannot reach a vault whatever its host, path, method, headers and body, at %s [F-158]',
	async (compatibilityDate, {workersAt}) => {
		const workers = await workersAt({storage: 'sqlite', isolates: 1, compatibilityDate});
		const [origin = ''] = workers.origins;
		await durableObjectDriver(() => workers.stub('private')).set(token);
		for (const way of ['as-it-is', 'by-its-address', 'rebuilt']) {
			const status = await new Promise<number | undefined>((resolve, reject) => {
				const headers = {host: 'token-vault', cf: 'regrant', 'cf-regrant': '1', regrant: '1'};
				const sent = request(`${origin}/forward/private/${way}`, {method: 'POST', headers}, answer => {
					answer.resume();
					resolve(answer.statusCode);
				});
				sent.on('error', reject);
				sent.end(JSON.stringify({op: 'write', text: null}));
			});
			expect([way, status]).toEqual([way, 404]);
		}
		expect(await workers.probe('private', 'get')).toEqual({record: expect.stringContaining(token.access_token)});
	},
);

test('a vault answers 404 to a request from outside that a worker passes on, and 400 to an invalid message', async ({
	workersAt,
}) => {
	const workers = await workersAt({storage: 'sqlite', isolates: 1});
	const [origin = ''] = workers.origins;
	const body = JSON.stringify({op: 'read'});
	await durableObjectDriver(() => workers.stub('private')).set(token);
	expect((await fetch(`${origin}/outside/private`)).status).toBe(404);
	expect((await fetch(`${origin}/outside/private`, {method: 'POST', body})).status).toBe(404);
	for (const message of [
		'',
		'hunter2',
		'null',
		'[]',
		'{}',
		'{"op":"acquire","owner":"","lease":1}',
		'{"op":"toString"}',
	]) {
		const answer = await fetch(`${origin}/vault/private`, {method: 'POST', body: message});
		expect([answer.status, await answer.text()]).toEqual([400, '']);
	}
	for (const message of [
		{op: 'write'},
		{op: 'write', text: 1},
		{op: 'compareAndSet', text: 'x'},
		{op: 'compareAndSet', found: 'x'},
		{op: 'acquire', owner: 'x'},
		{op: 'acquire', owner: 'x', lease: 0},
		{op: 'renew', owner: 'x', lease: 600_001},
		{op: 'release'},
	]) {
		const answer = await fetch(`${origin}/vault/private`, {method: 'POST', body: JSON.stringify(message)});
		expect([message, answer.status]).toEqual([message, 400]);
	}
	expect(await workers.probe('private', 'get')).toEqual({record: expect.stringContaining(token.access_token)});
});

test('whoever asked first gets the lock first, even before one who asks when it becomes free', async ({
	onTestFinished,
}) => {
	const {stub} = createMemoryVault();
	const store = durableObjectDriver(() => stub);
	// The clock stands still, because whoever does not take a free lock within a second loses the place in the queue.
	const now = Date.now();
	const clock = vi.spyOn(Date, 'now').mockReturnValue(now);
	onTestFinished(() => clock.mockRestore());
	await lend(stub, 'holder');
	const order: number[] = [];
	const turns: Array<Promise<unknown>> = [];
	const lock = async (turn: number): Promise<unknown> => store.lock?.(async () => order.push(turn));
	for (const turn of [1, 2, 3, 4, 5]) {
		turns.push(lock(turn));
		await store.get();
		await store.get();
	}
	await free(stub, 'holder');
	turns.push(lock(6));
	await Promise.all(turns);
	expect(order).toEqual([1, 2, 3, 4, 5, 6]);
});
