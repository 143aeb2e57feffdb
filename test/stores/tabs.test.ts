// Real tabs, frames and workers of one Chromium that share one session.
import type {Page} from 'playwright';
import {afterAll, describe, expect, onTestFinished} from 'vitest';
import type {AuthorizationServer} from '../support/authorization-server.ts';
import {createGate, expired, type Gate} from '../support/scenario.ts';
import {tabSpec} from '../support/tab-spec.ts';
import {
	callFromTab,
	connectTab,
	heardByTab,
	holdLockInTab,
	type Realm,
	signInTab,
	signOutTab,
	storedIn,
	type TabGlobal,
	type TabOptions,
} from '../support/tab-session.ts';
import {openTabs} from '../support/tabs.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

const tabs = await openTabs();
afterAll(tabs.close);

let sessions = 0;

/** Opens tabs with a session that no other test uses. They are closed after the test. */
async function connect(server: AuthorizationServer, count: number, options: TabOptions = {}) {
	const name = `session ${++sessions}`;
	const opened = await Promise.all(Array.from({length: count}, () => tabs.open()));
	onTestFinished(async () => void (await Promise.all(opened.map(tab => tab.close()))));
	await Promise.all(opened.map(tab => connectTab(tab, server, {name, ...options})));
	const [first, second = first] = opened;
	if (!first || !second) throw new Error('A test needs a tab');
	return {name, first, second, opened};
}

/** Holds back the next response of the token endpoint. By then the server has rotated the refresh token. */
function holdAnswer(server: AuthorizationServer): Gate & {stop(): void} {
	const gate = createGate();
	const stop = server.onTokenAnswer(gate.pass);
	return {...gate, stop};
}

const answered = (count: number): string[] => Array.from({length: count}, () => '200');

tabSpec({
	name: 'Chromium',
	open: async () => {
		const tab = await tabs.open();
		return {evaluate: (task, given) => tab.evaluate(task as never, given) as never, close: () => tab.close()};
	},
});

describe('a tab of Chromium', {timeout: 60_000}, () => {
	test('a tab of Chromium that is killed while it has the lock leaves it to the next [F-97]', async ({server}) => {
		const {name, first, second} = await connect(server, 2);
		await signInTab(first, {...(await server.mint()), ...expired});
		await holdLockInTab(first, name);
		const call = callFromTab(second, `${server.api}/me`);
		// This crashes the process of that tab.
		await first.goto('chrome://crash').catch(() => {});
		expect(await call).toEqual(answered(1));
	});

	test('a tab that is gone between the rotation and the write ends the session cleanly, and once [F-98]', async ({
		server,
	}) => {
		const {name, first, second} = await connect(server, 2);
		await signInTab(first, {...(await server.mint()), ...expired});
		const reached = createGate();
		const stop = server.onTokenAnswer(async () => {
			await first.close();
			void reached.pass();
		});
		void callFromTab(first, `${server.api}/me`).catch(() => {});
		await reached.reached;
		stop();
		const calls = await callFromTab(second, `${server.api}/me`, 5);
		expect(new Set(calls)).toEqual(new Set(['SessionEndedError invalid_grant']));
		// The lost refresh, and the one of the other tab that the server rejected.
		expect(server.tokenRequests).toHaveLength(2);
		expect(await callFromTab(second, `${server.api}/me`)).toEqual(['401']);
		expect((await heardByTab(second)).filter(event => event.startsWith('session-ended'))).toEqual([
			'session-ended invalid_grant',
		]);
		expect(await storedIn(second, name)).toBe(null);
		// The server has noticed the loss, which this test expects.
		expect(() => server.referee.verdict()).toThrow();
		server.reset();
	});

	test('a tab of Chromium that never frees the lock makes the refresh of the others fail in time [F-99]', async ({
		server,
	}) => {
		const {name, first, second} = await connect(server, 2, {timeout: 3_000});
		await signInTab(second, {...(await server.mint()), ...expired});
		await holdLockInTab(first, name);
		expect(await callFromTab(second, `${server.api}/me`)).toEqual(['LockError lock_timeout']);
		await first.close();
		await expect.poll(() => callFromTab(second, `${server.api}/me`)).toEqual(answered(1));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a tab of Chromium that is frozen while it has the lock fails the others in time, and is served when it goes on [F-99]', async ({
		server,
	}) => {
		const {name, first, second} = await connect(server, 2, {timeout: 3_000});
		await signInTab(first, {...(await server.mint()), ...expired});
		await first.evaluate(
			name =>
				new Promise<void>(held => {
					void (globalThis as unknown as TabGlobal).regrant.indexedDbDriver(name).lock?.(() => {
						held();
						return new Promise<void>(release => void Object.assign(globalThis, {release}));
					});
				}),
			name,
		);
		const devTools = await tabs.context.newCDPSession(first);
		await devTools.send('Page.setWebLifecycleState', {state: 'frozen'});
		expect(await callFromTab(second, `${server.api}/me`)).toEqual(['LockError lock_timeout']);
		expect(server.tokenRequests).toHaveLength(0);
		await devTools.send('Page.setWebLifecycleState', {state: 'active'});
		await first.evaluate(() => (globalThis as unknown as {release(): void}).release());
		await expect.poll(() => callFromTab(second, `${server.api}/me`)).toEqual(answered(1));
		expect(await callFromTab(first, `${server.api}/me`)).toEqual(answered(1));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a tab still enters the back/forward cache, and learns what it has missed there [F-100]', async ({server}) => {
		const {name, first, second} = await connect(server, 2);
		await first.evaluate(() => {
			addEventListener('pageshow', ({persisted}) => {
				if (persisted) document.title = 'restored';
			});
		});
		await signInTab(first, await server.mint());
		await first.evaluate(async () => (globalThis as unknown as TabGlobal).auth.refresh());
		await first.goto(`${tabs.origin}/elsewhere`);
		// Chromium removes a page from the back/forward cache when a broadcast message arrives for it. So this tab must not send one.
		await second.evaluate(async name => {
			globalThis.BroadcastChannel = undefined as never;
			await (globalThis as unknown as TabGlobal).regrant.indexedDbDriver(name).delete();
		}, name);
		await first.evaluate(() => history.back());
		await expect.poll(() => first.title()).toBe('restored');
		await expect.poll(() => heardByTab(first)).toEqual(['token set', 'token refresh', 'session-ended signed_out']);
	});

	test('a tab of Chromium reads the store again when it is told that it comes from the back/forward cache [F-100]', async ({
		server,
	}) => {
		const {name, first} = await connect(server, 1);
		await signInTab(first, await server.mint());
		await first.evaluate(async name => {
			const driver = (globalThis as unknown as TabGlobal).regrant.indexedDbDriver(name);
			// This tab changes the record without a broadcast.
			globalThis.BroadcastChannel = undefined as never;
			await driver.replace?.(await driver.get(), {access_token: 'other', token_type: 'Bearer', issued_at: 1});
			dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}));
		}, name);
		expect(await heardByTab(first)).toEqual(['token set']);
		await first.evaluate(() => void dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})));
		await expect.poll(() => heardByTab(first)).toEqual(['token set', 'token store']);
	});

	test('a tab of Chromium whose disk is full after a rotation keeps its session [F-87]', async ({server}) => {
		// Chromium caches for long how much space is free, so this test starts a new one.
		const {origin, context, open, close} = await openTabs();
		onTestFinished(close);
		const tab = await open();
		const devTools = await context.newCDPSession(tab);
		const setQuota = (quotaSize?: number): Promise<unknown> =>
			devTools.send('Storage.overrideQuotaForOrigin', {origin, ...(quotaSize && {quotaSize})});
		await setQuota(20_000);
		// What fills the disk is a part of the token request, and has its deadline.
		await connectTab(tab, server, {timeout: 8_000});
		await signInTab(tab, {...(await server.mint()), ...expired});
		const stop = server.onTokenAnswer(async () => {
			await setQuota(1);
			// Chromium asks again how much space is free when a write is larger than the cached value.
			const fill = tab.evaluate(async () => {
				const access_token = Array.from({length: 40_000}, () => Math.random()).join('');
				const driver = (globalThis as unknown as TabGlobal).regrant.indexedDbDriver('other');
				await driver.set({access_token, token_type: 'Bearer', issued_at: 1});
			});
			await expect(fill).rejects.toThrow('QuotaExceededError');
		});
		expect(await callFromTab(tab, `${server.api}/me`)).toEqual(answered(1));
		stop();
		expect(await heardByTab(tab)).toEqual(['token set', 'store-failed store_write', 'token refresh']);
		await setQuota();
		const issued = [...server.issued].filter(([, kind]) => kind === 'refresh token').map(([token]) => token);
		const stored = async (): Promise<string | null> => {
			await callFromTab(tab, `${server.api}/me`);
			return storedIn(tab);
		};
		await expect.poll(stored).toContain(issued.at(-1));
	});

	test('a tab whose database is deleted is signed out, and can sign in again', async ({server}) => {
		const {name, first, second} = await connect(server, 2);
		await signInTab(first, await server.mint());
		await second.evaluate(
			name =>
				new Promise((resolve, reject) => {
					const deleting = indexedDB.deleteDatabase(`regrant ${name}`);
					deleting.addEventListener('success', () => resolve(undefined));
					deleting.addEventListener('error', reject);
				}),
			name,
		);
		expect(await callFromTab(first, `${server.api}/me`)).toEqual(['401']);
		await signInTab(second, {...(await server.mint()), ...expired});
		expect(await callFromTab(first, `${server.api}/me`)).toEqual(answered(1));
	});

	test('a tab whose database another tab blocks frees its lock at a deadline, and the others go on [F-149]', async ({
		server,
	}) => {
		const {name, first, second} = await connect(server, 2, {timeout: 3_000});
		await signInTab(first, await server.mint());
		await second.evaluate(
			name =>
				new Promise<void>(opened => {
					const opening = indexedDB.open(`regrant ${name}`);
					opening.addEventListener('success', () => {
						// While this database is open, `deleteDatabase` waits, and all later attempts to open it wait, too.
						Object.assign(globalThis, {hostage: opening.result});
						indexedDB.deleteDatabase(`regrant ${name}`);
						opened();
					});
				}),
			name,
		);
		const refresh = first.evaluate(async () => {
			const {auth} = globalThis as unknown as TabGlobal;
			return auth.refresh().then(
				() => 'refreshed',
				({name}: Error) => name,
			);
		});
		expect(await refresh).toBe('LockError');
		expect(await callFromTab(first, `${server.api}/me`)).toEqual(answered(1));
		const isFree = (): Promise<boolean> =>
			second.evaluate(
				name => navigator.locks.request(`regrant ${name}`, {ifAvailable: true}, async lock => !!lock),
				name,
			);
		await expect.poll(isFree).toBe(true);
		expect(server.tokenRequests).toHaveLength(0);
		await second.close();
		await signInTab(first, {...(await server.mint()), ...expired});
		await expect.poll(() => callFromTab(first, `${server.api}/me`)).toEqual(answered(1));
	});

	test('a tab of Chromium without https has no Web Locks, and its callers still share one grant [R75]', async ({
		server,
	}) => {
		const tab = await tabs.open(tabs.insecureOrigin);
		onTestFinished(() => tab.close());
		expect(await tab.evaluate(() => [isSecureContext, 'locks' in navigator])).toEqual([false, false]);
		await connectTab(tab, server, {name: `session ${++sessions}`});
		await signInTab(tab, {...(await server.mint()), ...expired});
		expect(await callFromTab(tab, `${server.api}/me`, 5)).toEqual(answered(5));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for(['SecurityError', 'InvalidStateError'])(
		'a tab that gets a %s for its locks lets its callers take turns [R75, F-100]',
		async (name, {server}) => {
			const tab = await tabs.open();
			onTestFinished(() => tab.close());
			await tab.evaluate(name => {
				navigator.locks.request = () => Promise.reject(new DOMException('Not now', name));
			}, name);
			await connectTab(tab, server, {name: `session ${++sessions}`});
			await signInTab(tab, {...(await server.mint()), ...expired});
			expect(await callFromTab(tab, `${server.api}/me`, 5)).toEqual(answered(5));
			expect(server.tokenRequests).toHaveLength(1);
		},
	);

	test('a tab of Chromium tells other tabs nothing of the token [R47]', async ({server}) => {
		const {name, first, second} = await connect(server, 2);
		await second.evaluate(name => {
			const said: unknown[] = ((globalThis as unknown as {said: unknown[]}).said = []);
			new BroadcastChannel(`regrant ${name}`).addEventListener('message', ({data}) => said.push(data));
		}, name);
		await signInTab(first, await server.mint());
		const said = (): Promise<unknown> => second.evaluate(() => (globalThis as unknown as {said: unknown[]}).said);
		await expect.poll(said).toEqual([null]);
	});
});

test.for(['indexedDb', 'localStorage', 'sessionStorage'] as const)(
	'a frame of an opaque origin, which may store nothing, keeps its session in memory instead of %s [F-86]',
	async (kind, {server}) => {
		const tab = await tabs.open();
		await tab.setContent(
			`<iframe sandbox="allow-scripts" srcdoc="<script src=${tabs.origin}/regrant.js></script>"></iframe>`,
		);
		const frame = tab.frames()[1];
		if (!frame) throw new Error('The frame is not there');
		await frame.waitForFunction(() => 'regrant' in globalThis);
		await connectTab(frame, server, {kind});
		const token = {...(await server.mint()), ...expired};
		const failure = frame.evaluate(
			async token => (globalThis as unknown as TabGlobal).auth.setToken(token).catch(({name}: Error) => name),
			token,
		);
		expect(await failure).toBe('StoreError');
		expect(await callFromTab(frame, `${server.api}/me`)).toEqual(answered(1));
		expect(await heardByTab(frame)).toEqual(['store-failed store_read', 'token set', 'token refresh']);
		await tab.close();
	},
);

/** Creates a realm in a worker, which runs the code that it is sent. */
const inWorker = (page: Page, expression: string): Realm => ({
	evaluate: (task, given) =>
		page.evaluate(
			({expression, task, given}) =>
				new Promise((resolve, reject) => {
					const {port1, port2} = new MessageChannel();
					port1.addEventListener('message', ({data}) => {
						port1.close();
						if ('error' in data) reject(new Error(data.error));
						else resolve(data.value);
					});
					port1.start();
					// oxlint-disable-next-line no-eval -- a test cannot give the page a worker script of its own
					const worker = (0, eval)(expression) as Pick<ServiceWorker, 'postMessage'>;
					worker.postMessage({task, given}, [port2]);
				}) as never,
			{expression, task: String(task), given},
		),
});

describe('workers of Chromium', {timeout: 60_000}, () => {
	test('workers of Chromium share one session with their page: a dedicated one, a service worker and a frame make one grant [R71]', async ({
		server,
	}) => {
		const {name, first: page, second: other} = await connect(server, 2);
		await page.evaluate(async origin => {
			Object.assign(globalThis, {dedicated: new Worker('/worker.js')});
			await navigator.serviceWorker.register('/worker.js');
			await navigator.serviceWorker.ready;
			const frame = document.body.appendChild(document.createElement('iframe'));
			frame.src = `${origin}/`;
			await new Promise(resolve => frame.addEventListener('load', resolve));
		}, tabs.origin);
		const dedicated = inWorker(page, 'globalThis.dedicated');
		const service = inWorker(
			page,
			'navigator.serviceWorker.controller ?? Object.assign(globalThis.registered ?? {}, {})',
		);
		await expect.poll(() => page.evaluate(() => !!navigator.serviceWorker.controller)).toBe(true);
		const frame = page.frames()[1] as unknown as Realm;
		for (const realm of [dedicated, service, frame]) await connectTab(realm, server, {name});
		await signInTab(service, {...(await server.mint()), ...expired});
		const realms = [page, other, dedicated, service, frame] as Realm[];
		const calls = await Promise.all(realms.map(realm => callFromTab(realm, `${server.api}/me`, 5)));
		expect(calls.flat()).toEqual(answered(25));
		expect(server.tokenRequests).toHaveLength(1);
		await signOutTab(dedicated);
		for (const realm of [page, other, service, frame] as Realm[]) {
			await expect.poll(() => heardByTab(realm)).toContain('session-ended signed_out');
		}
		await page.evaluate(async () => {
			for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
		});
	});
});

describe('sessionStorage of Chromium', {timeout: 60_000}, () => {
	const options = {kind: 'sessionStorage'} as const;

	test('sessionStorage of Chromium gives each tab a session of its own, and no tab waits for the lock of another [F-151]', async ({
		server,
	}) => {
		const {first, second} = await connect(server, 2, options);
		const logins = [await server.mint(), await server.mint()];
		await signInTab(first, {...logins[0], ...expired});
		await signInTab(second, {...logins[1], ...expired});
		const {reached, open, stop} = holdAnswer(server);
		const slow = callFromTab(first, `${server.api}/me`);
		await reached;
		stop();
		// The first tab holds its own lock until its response arrives.
		expect(await callFromTab(second, `${server.api}/me`)).toEqual(answered(1));
		open();
		expect(await slow).toEqual(answered(1));
		expect(server.tokenRequests).toHaveLength(2);
		expect(await heardByTab(first)).toEqual(['token set', 'token refresh']);
	});

	test('sessionStorage of Chromium is shared by the frames of a tab: they make one grant, and hear of each other [R71]', async ({
		server,
	}) => {
		const {name, first: page} = await connect(server, 1, options);
		await page.evaluate(async origin => {
			const frame = document.body.appendChild(document.createElement('iframe'));
			frame.src = `${origin}/`;
			await new Promise(resolve => frame.addEventListener('load', resolve));
		}, tabs.origin);
		const frame = page.frames()[1] as unknown as Realm;
		await connectTab(frame, server, {name, ...options});
		await signInTab(page, {...(await server.mint()), ...expired});
		const calls = await Promise.all([page, frame].map(realm => callFromTab(realm, `${server.api}/me`, 5)));
		expect(calls.flat()).toEqual(answered(10));
		expect(server.tokenRequests).toHaveLength(1);
		await signOutTab(frame);
		await expect.poll(() => heardByTab(page)).toContain('session-ended signed_out');
	});
});

describe('localStorage of Chromium', {timeout: 60_000}, () => {
	const options = {kind: 'localStorage'} as const;

	test('an idle tab on localStorage hears of a login and a sign-out in another tab, and of a cleared storage', async ({
		server,
	}) => {
		const {first, second} = await connect(server, 2, options);
		await signInTab(first, await server.mint());
		await expect.poll(() => heardByTab(second)).toContain('token store');
		await signOutTab(first);
		await expect.poll(() => heardByTab(second)).toContain('session-ended signed_out');
		await signInTab(first, await server.mint());
		await expect.poll(async () => (await heardByTab(second)).at(-1)).toBe('token store');
		await first.evaluate(() => localStorage.clear());
		await expect.poll(async () => (await heardByTab(second)).at(-1)).toBe('session-ended signed_out');
	});

	test('a session survives a localStorage that is really full after a rotation [F-87]', async ({server}) => {
		const {name, first: tab} = await connect(server, 1, {...options, timeout: 8_000});
		await signInTab(tab, {...(await server.mint()), ...expired, scope: 'x'});
		const stop = server.onTokenAnswer(async () => {
			await tab.evaluate(() => {
				for (let size = 2 ** 23; size >= 1; size = Math.floor(size / 2)) {
					try {
						for (let count = 0; ; count++) localStorage.setItem(`full ${size} ${count}`, 'x'.repeat(size));
					} catch {
						// This size no longer fits.
					}
				}
			});
		});
		expect(await callFromTab(tab, `${server.api}/me`)).toEqual(answered(1));
		stop();
		expect(await heardByTab(tab)).toEqual(['token set', 'store-failed store_write', 'token refresh']);
		await tab.evaluate(() => {
			for (const key of Object.keys(localStorage)) if (key.startsWith('full')) localStorage.removeItem(key);
		});
		expect(await callFromTab(tab, `${server.api}/me`)).toEqual(answered(1));
		const issued = [...server.issued].filter(([, kind]) => kind === 'refresh token').map(([token]) => token);
		expect(await tab.evaluate(name => localStorage.getItem(name), name)).toContain(issued.at(-1));
	});
});

test('without a lock the first race loses the session, which shows that the test can fail', async ({server}) => {
	const {first, opened} = await connect(server, 4, {hasLock: false});
	await signInTab(first, {...(await server.mint()), ...expired});
	const reached: Array<() => void> = [];
	// The server answers only when the requests of all four tabs have arrived.
	const all = new Promise<void>(resolve => {
		server.onToken(async () => {
			if (reached.push(resolve) === 4) resolve();
			await all;
		});
	});
	await Promise.all(opened.map(tab => callFromTab(tab, `${server.api}/me`)));
	expect(server.tokenRequests.length).toBeGreaterThan(1);
	expect(() => server.referee.verdict()).toThrow();
	server.reset();
});
