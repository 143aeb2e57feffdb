import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect} from 'vitest';
import {LockError, type TokenSet, type TokenStore} from '../../../src/index.ts';
import {durableObjectStore, TokenVault, type VaultStub} from '../../../src/stores/cloudflare.ts';
import {createGate} from '../../support/scenario.ts';
import {startWorkers, type Workers} from '../../support/workers.ts';
import {tellVault} from '../../support/workers-place.ts';
import {test} from '../../support/workers-test.ts';

const token: TokenSet = {access_token: 'hunter2hunter2', token_type: 'bearer', refresh_token: 'hunter2', issued_at: 1};
const forLong = 600_000;

/** Takes the lock for another owner and keeps it. */
const lend = async (stub: VaultStub, owner: string, lease = forLong): Promise<unknown> =>
	tellVault(stub, {op: 'take', owner, lease});
const free = async (stub: VaultStub, owner: string): Promise<unknown> => tellVault(stub, {op: 'free', owner});

/** Whether the lock can be had, asked once: the wait for it is ended when the vault has certainly heard of it. */
async function isFree(store: TokenStore): Promise<boolean> {
	const waiting = new AbortController();
	const had = store.lock?.(async () => true, waiting.signal);
	const ended = (async () => {
		for (let rounds = 0; rounds < 5; rounds++) await store.get();
		waiting.abort();
	})();
	try {
		return (await had) ?? false;
	} catch (error) {
		expect(error).toEqual(new LockError());
		return false;
	} finally {
		await ended;
	}
}

describe.each(['sqlite', 'legacy-kv'] as const)('a vault in storage of the kind %s', {timeout: 30_000}, storage => {
	test('replaces for one of sixty that ask at once', async ({workersAt}) => {
		const {stub} = await workersAt({storage, isolates: 1});
		await tellVault(stub('at-once'), {op: 'write', text: 'first'});
		const texts = Array.from({length: 60}, (_, index) => `text ${index}`);
		const answers = await Promise.all(
			texts.map(async text => tellVault(stub('at-once'), {op: 'replace', found: 'first', text})),
		);
		expect(answers.filter(Boolean).length).toBe(1);
		expect(await tellVault(stub('at-once'), {op: 'read'})).toBe(texts[answers.indexOf(true)]);
	});

	test('lends its lock to one of sixty that ask at once', async ({workersAt}) => {
		const {stub} = await workersAt({storage, isolates: 1});
		const owners = Array.from({length: 60}, (_, index) => `owner ${index}`);
		const leaving = new AbortController();
		let answers = 0;
		const first = Promise.withResolvers<unknown>();
		const asked = owners.map(async owner => {
			const isLent = await tellVault(stub('lock-at-once'), {op: 'take', owner, lease: forLong}, leaving.signal);
			answers++;
			first.resolve(isLent);
		});
		expect(await first.promise).toBe(true);
		for (let rounds = 0; rounds < 5; rounds++) await tellVault(stub('lock-at-once'), {op: 'read'});
		expect(answers).toBe(1);
		leaving.abort();
		await Promise.allSettled(asked);
	});

	test('F-110: keeps the session and the lock when it is evicted from memory', async ({workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const stub = (): VaultStub => workers.stub('evicted');
		const store = durableObjectStore(stub);
		await store.set(token);
		await lend(stub(), 'holder');
		await workers.evict('evicted');
		expect(await store.get()).toEqual(token);
		expect(await isFree(store)).toBe(false);
		expect(await tellVault(stub(), {op: 'keep', owner: 'holder', lease: forLong})).toBe(true);
		await free(stub(), 'holder');
		expect(await isFree(store)).toBe(true);
	});

	test('F-110: keeps the session and the lock when its process ends and another begins', async ({
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
		await durableObjectStore(() => before.stub('kept')).set(token);
		await lend(before.stub('kept'), 'holder');
		await before.stop();
		started.length = 0;
		const after = await start();
		const store = durableObjectStore(() => after.stub('kept'));
		expect(await store.get()).toEqual(token);
		expect(await isFree(store)).toBe(false);
		await free(after.stub('kept'), 'holder');
		expect(await isFree(store)).toBe(true);
	});

	test('F-110: a restart in mid-wait costs nobody a turn', async ({workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const stub = (): VaultStub => workers.stub('restarted');
		const store = durableObjectStore(stub);
		await lend(stub(), 'holder');
		const turns = Promise.all([1, 2, 3].map(async turn => store.lock?.(async () => turn)));
		for (let rounds = 0; rounds < 5; rounds++) await store.get();
		await workers.probe('restarted', 'restart');
		await free(stub(), 'holder');
		expect(await turns).toEqual([1, 2, 3]);
	});

	test('a waiter that has gone does not take the lock along', async ({workersAt}) => {
		const {stub: stubOf} = await workersAt({storage, isolates: 1});
		const stub = (): VaultStub => stubOf('ghosts');
		const store = durableObjectStore(stub, {lease: forLong});
		await lend(stub(), 'holder');
		const leaving = new AbortController();
		const ghosts = ['ghost 1', 'ghost 2'].map(async owner =>
			tellVault(stub(), {op: 'take', owner, lease: forLong}, leaving.signal),
		);
		for (let rounds = 0; rounds < 5; rounds++) await store.get();
		leaving.abort();
		await Promise.allSettled(ghosts);
		const turn = store.lock?.(async () => 'had');
		await store.get();
		await free(stub(), 'holder');
		expect(await turn).toBe('had');
	});

	test('the lock of a holder that says nothing any more runs out, and the late one is told', async ({workersAt}) => {
		const {stub} = await workersAt({storage, isolates: 1});
		await lend(stub('late'), 'late', 100);
		const store = durableObjectStore(() => stub('late'));
		const held = await store.lock?.(async isHeld => {
			expect(await tellVault(stub('late'), {op: 'keep', owner: 'late', lease: 100})).toBe(false);
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
		const store = durableObjectStore(() => workers.stub('slow'), {lease: 1_000});
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
		'F-89, F-90: a stored record that is %s counts as garbage, and gives way',
		async ([title, found], {workersAt}) => {
			const workers = await workersAt({storage, isolates: 1});
			const name = `garbage, ${title}`;
			const store = durableObjectStore(() => workers.stub(encodeURIComponent(name)));
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
		expect(await durableObjectStore(() => workers.stub(name)).lock?.(async () => 'had')).toBe('had');
	});

	test('F-86, F-87: a storage that fails is a store that fails, and works again when it does', async ({workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const store = durableObjectStore(() => workers.stub('failing'));
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

	test('leaves nothing in storage when the session is over and nobody holds the lock', async ({workersAt}) => {
		const workers = await workersAt({storage, isolates: 1});
		const store = durableObjectStore(() => workers.stub('over'));
		await store.set(token);
		await store.lock?.(async () => store.delete());
		expect(await workers.probe('over', 'get')).toEqual({});
	});
});

test('a request from outside that a worker passes on gets a 404, and a message that is none a 400', async ({
	workersAt,
}) => {
	const workers = await workersAt({storage: 'sqlite', isolates: 1});
	const [origin = ''] = workers.origins;
	const body = JSON.stringify({op: 'read'});
	await durableObjectStore(() => workers.stub('private')).set(token);
	expect((await fetch(`${origin}/outside/private`)).status).toBe(404);
	expect((await fetch(`${origin}/outside/private`, {method: 'POST', body})).status).toBe(404);
	for (const message of [
		'',
		'hunter2',
		'null',
		'[]',
		'{}',
		'{"op":"take","owner":"","lease":1}',
		'{"op":"toString"}',
	]) {
		const answer = await fetch(`${origin}/vault/private`, {method: 'POST', body: message});
		expect([answer.status, await answer.text()]).toEqual([400, '']);
	}
	for (const message of [
		{op: 'write'},
		{op: 'write', text: 1},
		{op: 'replace', text: 'x'},
		{op: 'replace', found: 'x'},
		{op: 'take', owner: 'x'},
		{op: 'take', owner: 'x', lease: 0},
		{op: 'keep', owner: 'x', lease: 600_001},
		{op: 'free'},
	]) {
		const answer = await fetch(`${origin}/vault/private`, {method: 'POST', body: JSON.stringify(message)});
		expect([message, answer.status]).toEqual([message, 400]);
	}
	expect(await workers.probe('private', 'get')).toEqual({record: expect.stringContaining(token.access_token)});
});

test('whoever came first is the first to have the lock, also before one who comes as it gets free', async () => {
	const kept = new Map<string, unknown>();
	const vault = new TokenVault({
		storage: {
			get: async name => kept.get(name),
			put: async (name, value) => void kept.set(name, value),
			delete: async name => kept.delete(name),
		},
	});
	const stub: VaultStub = {fetch: (address, init) => vault.fetch(new Request(address, init))};
	const store = durableObjectStore(() => stub);
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
