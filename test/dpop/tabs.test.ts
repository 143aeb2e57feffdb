import {decodeJwt} from 'jose';
import type {Page} from 'playwright';
import {expect} from 'vitest';
import {type DpopApi, startDpopApi} from '../support/dpop-api.ts';
import type {TabGlobal} from '../support/tab-session.ts';
import {callFromTab, heardByTab, signInTab} from '../support/tab-session.ts';
import {openTabs, type Tabs} from '../support/tabs.ts';
import {test as base} from '../support/test.ts';

const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('tabs', async ({}, {onCleanup}): Promise<Tabs> => {
		const tabs = await openTabs();
		onCleanup(tabs.close);
		return tabs;
	})
	.extend('api', async ({server}, {onCleanup}): Promise<DpopApi> => {
		const api = await startDpopApi(server.findBound);
		onCleanup(api.close);
		return api;
	})
	.extend('open', async ({tabs, server, api}) => async (): Promise<Page> => {
		const tab = await tabs.open();
		await connect(tab, {tokenEndpoint: server.tokenEndpoint, api: api.origin});
		return tab;
	});

/** Creates an `Auth` in a tab. All tabs share its key and its token. */
async function connect(tab: Page, place: {readonly tokenEndpoint: string; readonly api: string}): Promise<void> {
	await tab.evaluate(({tokenEndpoint, api}) => {
		const tabGlobal = globalThis as unknown as TabGlobal;
		const {createAuth, dpop, indexedDbStore} = tabGlobal.regrant;
		const store = indexedDbStore('session');
		const timeout = 60_000;
		tabGlobal.auth = createAuth({tokenEndpoint, clientId: 'app', origins: [api], store, scheme: dpop(), timeout});
		tabGlobal.events = [];
		tabGlobal.auth.subscribe(event => void tabGlobal.events.push(event));
	}, place);
}

/** The thumbprint of the key that a new `dpop()` in this tab loads or creates. */
function keyOf(tab: Pick<Page, 'evaluate'>): Promise<string> {
	return tab.evaluate(async () => {
		const {dpop, sha256} = (globalThis as unknown as TabGlobal).regrant;
		const headers = new Headers();
		await dpop().apply({url: 'https://api.example/', method: 'GET', headers}, undefined);
		const header = atob((headers.get('dpop') ?? '').split('.')[0]?.replaceAll('-', '+').replaceAll('_', '/') ?? '');
		const {crv, kty, x, y} = (JSON.parse(header) as {jwk: Record<string, string>}).jwk;
		return sha256(JSON.stringify({crv, kty, x, y}));
	});
}

const deleteKey = (tab: Page): Promise<void> =>
	tab.evaluate(
		() =>
			new Promise<void>((resolve, reject) => {
				const request = indexedDB.deleteDatabase('regrant-dpop');
				request.addEventListener('success', () => resolve());
				request.addEventListener('blocked', () => reject(new Error('somebody has it open')));
			}),
	);

test('tabs that begin at once have one key, and a refused token is refreshed once for all', async ({
	server,
	api,
	open,
}) => {
	const tabs = await Promise.all([open(), open(), open(), open()]);
	const keys = await Promise.all(tabs.map(keyOf));
	expect(new Set(keys).size).toBe(1);
	const [first] = tabs;
	const minted = await server.mint({jkt: keys[0] ?? ''});
	if (first) await signInTab(first, minted);
	await server.expire(minted.access_token);
	const calls = await Promise.all(tabs.map(tab => callFromTab(tab, `${api.origin}/accounts`, 5)));
	expect(new Set(calls.flat())).toEqual(new Set(['200']));
	expect(server.tokenRequests.map(({status}) => status)).toEqual([400, 200]);
});

test('the key and the session are there again after a reload', async ({server, api, open}) => {
	const tab = await open();
	const key = await keyOf(tab);
	await signInTab(tab, await server.mint({jkt: key}));
	await tab.reload();
	await connect(tab, {tokenEndpoint: server.tokenEndpoint, api: api.origin});
	expect(await keyOf(tab)).toBe(key);
	expect(await callFromTab(tab, `${api.origin}/accounts`)).toEqual(['200']);
	expect(server.tokenRequests).toEqual([]);
});

test('a session whose key the browser has deleted ends in all tabs, once, and a new login works', async ({
	server,
	api,
	open,
}) => {
	const [tab, other] = [await open(), await open()];
	await signInTab(tab, await server.mint({jkt: await keyOf(tab)}));
	await deleteKey(tab);
	await tab.reload();
	await connect(tab, {tokenEndpoint: server.tokenEndpoint, api: api.origin});
	// A call that is rejected after the end gets its 401. So the token endpoint waits until all three are rejected.
	const isRejected = ({headers, status}: DpopApi['calls'][number]): boolean =>
		status === 401 && decodeJwt(headers['dpop'] ?? '')['nonce'] !== undefined;
	const stop = server.onToken(async () => {
		await expect.poll(() => api.calls.filter(isRejected)).toHaveLength(3);
	});
	expect(await callFromTab(tab, `${api.origin}/accounts`, 3)).toEqual(
		Array.from({length: 3}, () => 'SessionEndedError invalid_grant'),
	);
	stop();
	await expect.poll(async () => heardByTab(other)).toContain('session-ended signed_out');
	expect((await heardByTab(tab)).filter(event => event.startsWith('session-ended'))).toHaveLength(1);
	await signInTab(tab, await server.mint({jkt: await keyOf(tab)}));
	expect(await callFromTab(tab, `${api.origin}/accounts`)).toEqual(['200']);
});

test('nobody can export the key of a tab', async ({open}) => {
	const tab = await open();
	await keyOf(tab);
	const outcome = await tab.evaluate(
		() =>
			new Promise<string>(resolve => {
				const request = indexedDB.open('regrant-dpop');
				request.addEventListener('success', () => {
					const reading = request.result.transaction('keys').objectStore('keys').get('ES256');
					reading.addEventListener('success', () => {
						const {privateKey} = reading.result as CryptoKeyPair;
						crypto.subtle.exportKey('jwk', privateKey).then(
							() => resolve('exported'),
							(error: Error) => resolve(error.name),
						);
					});
				});
			}),
	);
	expect(outcome).toBe('InvalidAccessError');
});

test('a sandboxed frame, which has no storage, has a key while it lives', async ({tabs}) => {
	const tab = await tabs.open();
	await tab.evaluate(origin => {
		const frame = document.createElement('iframe');
		frame.setAttribute('sandbox', 'allow-scripts');
		frame.src = `${origin}/?sandboxed`;
		document.body.append(frame);
	}, tabs.origin);
	await expect.poll(() => tab.frames().length).toBe(2);
	const frame = tab.frames()[1] ?? expect.fail('no frame');
	await frame.waitForFunction(() => 'regrant' in globalThis);
	const isSame = await frame.evaluate(async () => {
		const scheme = (globalThis as unknown as TabGlobal).regrant.dpop();
		const headersOf = async (): Promise<string> => {
			const headers = new Headers();
			await scheme.apply({url: 'https://api.example/', method: 'GET', headers}, undefined);
			return headers.get('dpop')?.split('.')[0] ?? '';
		};
		return (await headersOf()) === (await headersOf());
	});
	expect(isSame).toBe(true);
});
