import {expect, test} from 'vitest';
import {createSession, type StoreDriver, type TokenSet} from '../../src/index.ts';
import {createGate, type Gate, gist, memoryDriver, record, settle, storeOf} from '../support/scenario.ts';

const bearer = {access_token: 'at1', token_type: 'Bearer'};

/** A session whose store answers a read only when the gate opens. */
function sessionBehind(gate: Gate, stored?: TokenSet): ReturnType<typeof createSession> {
	const driver = memoryDriver();
	if (stored) void driver.set(stored);
	const get = async (): Promise<unknown> => {
		await gate.pass();
		return driver.get();
	};
	const store: StoreDriver = {...driver, get};
	return createSession({renew: () => undefined, store: storeOf(store)});
}

test.for([
	['somebody is signed in', {...bearer, issued_at: 0}, 'status signed-in'],
	['nobody is signed in', undefined, 'status signed-out'],
] as const)('whoever has seen `unknown` hears once that %s', async ([, stored, event]) => {
	const gate = createGate();
	const auth = sessionBehind(gate, stored);
	const events = record(auth);
	expect([auth.status, auth.status]).toEqual(['unknown', 'unknown']);
	gate.open();
	await settle();
	await auth.peek();
	expect(gist(events)).toEqual([event]);
	expect(`status ${auth.status}`).toBe(event);
});

test('whoever has seen `unknown` hears of a sign-out that overtakes the first read of an empty store', async () => {
	const gate = createGate();
	const auth = sessionBehind(gate);
	const snapshots: string[] = [];
	auth.subscribe(() => snapshots.push(auth.status));
	expect(auth.status).toBe('unknown');
	const signedOut = auth.signOut();
	gate.open();
	await signedOut;
	expect(snapshots).toEqual(['signed-out']);
});

test('whoever has seen `unknown` hears of a sign-out by its own event if there was a token', async () => {
	const gate = createGate();
	const auth = sessionBehind(gate, {...bearer, issued_at: 0});
	const events = record(auth);
	expect(auth.status).toBe('unknown');
	const signedOut = auth.signOut();
	gate.open();
	await signedOut;
	expect(gist(events)).toEqual(['session-ended signed_out']);
});

test('whoever has seen `unknown` hears of a sign-in that overtakes the first read by its own event', async () => {
	const gate = createGate();
	const auth = sessionBehind(gate);
	const events = record(auth);
	expect(auth.status).toBe('unknown');
	const signedIn = auth.setToken(bearer);
	gate.open();
	await signedIn;
	expect(gist(events)).toEqual(['token set']);
});

test('nobody hears of a status that nobody has asked for', async () => {
	const gate = createGate();
	const auth = sessionBehind(gate);
	const events = record(auth);
	gate.open();
	await auth.signOut();
	expect(gist(events)).toEqual([]);
});

test('a hundred listeners have the store read once, and one that comes after all have left has it read again', async () => {
	const driver = memoryDriver();
	let reads = 0;
	const get = async (): Promise<unknown> => {
		reads++;
		return driver.get();
	};
	const auth = createSession({renew: () => undefined, store: storeOf({...driver, get})});
	const stops = Array.from({length: 100}, () => auth.subscribe(() => {}));
	await settle();
	expect([auth.status, reads]).toEqual(['signed-out', 1]);
	for (const stop of stops) stop();
	await driver.set({...bearer, issued_at: 0});
	const events = record(auth);
	await settle();
	expect([gist(events), reads]).toEqual([['token store'], 2]);
});
