// Frames are realms of their own that share storage and locks. Every engine has them, so this test needs no driver.
import {beforeEach, expect, inject, onTestFinished, test} from 'vitest';
import type * as regrant from '../../../src/index.ts';
import type * as web from '../../../src/stores/web.ts';
import {createLabClient} from '../../shared/lab-client.ts';

type Realm = Window & typeof globalThis;
type Auth = regrant.Auth;

const lab = createLabClient(inject('lab'));
const key = 'session';
const {tokenEndpoint, revocationEndpoint, app, api} = lab;

beforeEach(async () => {
	await new Promise((resolve, reject) => {
		const deleting = indexedDB.deleteDatabase(`regrant ${key}`);
		deleting.addEventListener('success', resolve);
		deleting.addEventListener('error', reject);
	});
	await lab.reset();
});

function openFrame(): {readonly realm: Realm; remove(): void} {
	const frame = document.body.appendChild(document.createElement('iframe'));
	const remove = (): void => frame.remove();
	onTestFinished(remove);
	return {realm: frame.contentWindow as Realm, remove}; // every window has the globals of a realm
}

/** Creates an `Auth` from the copy of the package that the realm has loaded for itself. */
async function createAuthIn(realm: Realm, query = ''): Promise<Auth> {
	const load = async <T>(path: string): Promise<T> => realm.eval(`import('${location.origin}/src/${path}')`) as T;
	const {createAuth} = await load<typeof regrant>('index.ts');
	const {indexedDbStore} = await load<typeof web>('stores/web.ts');
	return createAuth({
		tokenEndpoint,
		// The query is not part of `tokenEndpoint`: another endpoint would be another client, and the store would refuse it [F-143].
		fetch: async (input, init) => fetch(`${input as string}${query}`, init),
		revocationEndpoint,
		clientId: app,
		origins: [api],
		store: indexedDbStore(key),
	});
}

const expired = {expires_at: 1, issued_at: 0};
const statusOf = async (auth: Auth): Promise<number> => (await auth.fetch(`${api}/me`)).status;

test('a page and its frames make one grant on one expired token [R71, F-96]', async () => {
	const realms = [window, openFrame().realm, openFrame().realm];
	const auths = await Promise.all(realms.map(realm => createAuthIn(realm)));
	expect(new Set(auths.map(({constructor}) => constructor)).size).toBe(3);
	await auths[0]?.setToken({...(await lab.mint()), ...expired});
	const calls = Array.from({length: 4}, () => auths.map(statusOf)).flat();
	expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
	expect((await lab.log()).grants).toHaveLength(1);
});

test('the page gets the lock of a frame that is removed [F-97]', async () => {
	const {realm, remove} = openFrame();
	const auth = await createAuthIn(window);
	await auth.setToken({...(await lab.mint()), ...expired});
	const heldLocks = async (): Promise<number> => ((await navigator.locks.query()).held ?? []).length;
	await new Promise<void>(held => {
		void realm.navigator.locks.request(`regrant ${key}`, () => {
			held();
			return new realm.Promise(() => {});
		});
	});
	expect(await heldLocks()).toBe(1);
	const call = statusOf(auth);
	// The call waits for the lock, and sends no token request meanwhile.
	while (((await navigator.locks.query()).pending ?? []).length === 0);
	expect((await lab.log()).grants).toHaveLength(0);
	remove();
	expect(await call).toBe(200);
	expect(await heldLocks()).toBe(0);
	expect((await lab.log()).grants).toHaveLength(1);
});

test('a frame hears what the page does to the session', async () => {
	const auth = await createAuthIn(window);
	const other = await createAuthIn(openFrame().realm);
	const heard: string[] = [];
	let tellNext = (): void => {};
	other.subscribe(event => {
		heard.push(event.type === 'token' ? `token ${event.cause}` : event.type);
		tellNext();
	});
	const next = (): Promise<void> => new Promise(resolve => void (tellNext = resolve));
	for (const act of [async () => auth.setToken(await lab.mint()), () => auth.refresh(), () => auth.signOut()]) {
		const hearing = next();
		await act();
		await hearing;
	}
	expect(heard).toEqual(['token store', 'token store', 'session-ended']);
	expect(await statusOf(other)).toBe(401);
});

test('a sign-out of the page wins over a refresh of a frame [R76, F-101]', async () => {
	const auth = await createAuthIn(window);
	const other = await createAuthIn(openFrame().realm, '?held');
	const minted = await lab.mint();
	await auth.setToken({...minted, ...expired});
	const refresh = other.refresh().then(
		() => 'renewed',
		({name}: Error) => name,
	);
	while ((await lab.log()).grants.length === 0);
	await auth.signOut();
	await lab.release();
	expect(await refresh).toBe('SessionEndedError');
	expect(await auth.getToken().catch(({name}: Error) => name)).toBe('SessionEndedError');
	expect(await lab.isActive(minted.refresh_token)).toBe(false);
});
