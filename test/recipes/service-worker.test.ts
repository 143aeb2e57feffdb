import {build, type BuildOptions} from 'esbuild';
import type {BrowserContext, Page, Request} from 'playwright';
import {expect} from 'vitest';
import type * as recipe from '../../playground/recipes/service-worker-page.ts';
import {createGate} from '../support/scenario.ts';
import {app, type AuthorizationServer, type TokenResponse} from '../support/authorization-server.ts';
import {launchChromium} from '../support/chromium.ts';
import {replacing} from '../support/replacing.ts';
import {serve} from '../support/serve.ts';
import {once} from '../support/stage.ts';
import {test as base} from '../support/test.ts';

/** The globals of a page that the test adds: functions to control the worker. */
interface Realm {
	readonly recipe: typeof recipe;
	/** The messages of the worker, and the answers of the API. */
	readonly heard: string[];
}

/** Pages of one browser that share a service worker. */
interface Place {
	readonly server: AuthorizationServer;
	readonly context: BrowserContext;
	/** Opens another page. Its calls go through the worker. */
	open(): Promise<Page>;
	/** Signs in, as when a login has come back to this page. Returns the tokens, which the page itself never gets. */
	signIn(page: Page): Promise<TokenResponse>;
	/** Makes this number of calls at once. Returns their statuses. */
	call(page: Page, count?: number): Promise<number[]>;
}

const bundle = async (entry: string, options: BuildOptions): Promise<string> => {
	const {outputFiles} = await build({
		entryPoints: [`playground/recipes/${entry}`],
		bundle: true,
		write: false,
		format: 'iife',
		target: 'es2022',
		alias: {regrant: './src/index.ts'},
		...options,
	});
	return outputFiles?.[0]?.text ?? '';
};

const html = `<!doctype html><title>page</title><script>
var heard = [];
const hear = ({data}) => heard.push(JSON.stringify(data));
navigator.serviceWorker.addEventListener('message', hear);
globalThis.MessageChannel = class extends MessageChannel {
	constructor() {
		super();
		this.port1.addEventListener('message', hear);
	}
};
</script><script src="/page.js"></script>`;

const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('browser', {scope: 'file'}, async ({}, {onCleanup}) => {
		const browser = await launchChromium();
		onCleanup(() => browser.close());
		return browser;
	})
	.extend('origin', {scope: 'file'}, async ({runningServer}, {onCleanup}) => {
		const {tokenEndpoint, revocationEndpoint, api} = runningServer;
		const place = {
			"'https://login.example.com/token'": JSON.stringify(tokenEndpoint),
			"'https://login.example.com/revoke'": JSON.stringify(revocationEndpoint),
			"'spa'": JSON.stringify(app.clientId),
			'https://api.example.com': api,
		};
		const scripts = new Map([
			['/service-worker.js', await bundle('service-worker.ts', {plugins: [replacing(place)]})],
			['/page.js', await bundle('service-worker-page.ts', {globalName: 'recipe'})],
		]);
		const served = await serve((_request, {path}) => {
			const script = scripts.get(path);
			return {
				headers: [['content-type', script === undefined ? 'text/html' : 'text/javascript']],
				body: script ?? html,
			};
		});
		onCleanup(served.close);
		return served.origin;
	})
	.extend('place', async ({browser, origin, server}, {onCleanup}): Promise<Place> => {
		// A new browser context has a profile of its own, and so a worker of its own.
		const context = await browser.newContext();
		onCleanup(() => context.close());
		return {
			server,
			context,
			async open() {
				const page = await context.newPage();
				await page.goto(origin);
				await page.evaluate(() => (globalThis as unknown as Realm).recipe.start());
				return page;
			},
			async signIn(page) {
				const tokens = await server.mint();
				const remove = server.onToken(({parameters}) =>
					parameters.get('grant_type') === 'authorization_code' ? Response.json(tokens) : undefined,
				);
				await page.evaluate(async () => {
					const login = {code: 'code', code_verifier: 'verifier', redirect_uri: location.href};
					await (globalThis as unknown as Realm).recipe.signIn(login);
				});
				remove();
				return tokens;
			},
			call: async (page, count = 1) =>
				page.evaluate(
					async ({url, count}) => {
						const {heard} = globalThis as unknown as Realm;
						return Promise.all(
							Array.from({length: count}, async () => {
								const answer = await fetch(url);
								heard.push(JSON.stringify([...answer.headers]), await answer.text());
								return answer.status;
							}),
						);
					},
					{url: `${server.api}/me`, count},
				),
		};
	});

/** Returns the statuses of the refresh requests. */
const refreshes = ({tokenRequests}: AuthorizationServer): number[] =>
	tokenRequests.filter(({parameters}) => parameters.has('refresh_token')).map(({status}) => status);

/** Returns everything that a page can read. */
async function readable(page: Page): Promise<string> {
	return page.evaluate(async () => {
		const {heard} = globalThis as unknown as Realm;
		const databases = (await indexedDB.databases()).map(({name}) => name);
		const entries = performance.getEntries().map(entry => JSON.stringify(entry));
		return JSON.stringify({
			heard,
			databases,
			entries,
			caches: await caches.keys(),
			storage: [Object.entries(localStorage), Object.entries(sessionStorage), document.cookie],
			state: [history.state, document.title, name, location.href, document.documentElement.outerHTML],
			globals: Object.entries(globalThis).map(([key, value]) => `${key}: ${String(value)}`),
		});
	});
}

const ok = (count: number): number[] => Array.from({length: count}, () => 200);

test('pages fetch without a token, and their worker adds it: one grant for all when it has expired', async ({
	place,
}) => {
	const {server, open, signIn, call} = place;
	const page = await open();
	const pages = [page, await open()];
	expect(await call(page)).toEqual([401]);
	const {access_token} = await signIn(page);
	expect(await Promise.all(pages.map(page => call(page, 10)))).toEqual([ok(10), ok(10)]);
	expect(refreshes(server)).toEqual([]);
	await server.expire(access_token);
	expect(await Promise.all(pages.map(page => call(page, 10)))).toEqual([ok(10), ok(10)]);
	expect(refreshes(server)).toEqual([200]);
});

test('no page can read a token, nor send one [R47]', async ({place, canaries}) => {
	const {server, context, open, signIn, call} = place;
	const sent: Request[] = [];
	context.on('request', request => void sent.push(request));
	const page = await open();
	const {access_token} = await signIn(page);
	await server.expire(access_token);
	expect(await call(page, 3)).toEqual(ok(3));
	const text = await readable(page);
	expect(text).toContain('user-');
	expect(JSON.parse(text)).toMatchObject({databases: [], caches: [], storage: [[], [], '']});
	canaries.see(text);
	// Only the requests of the page itself, without those of its worker.
	const own = sent.filter(request => !request.serviceWorker());
	expect(own.filter(request => request.url() === `${server.api}/me`)).toHaveLength(3);
	for (const request of own) canaries.see(JSON.stringify([request.url(), request.headers(), request.postData()]));
	expect(refreshes(server)).toEqual([200]);
});

test('a page signs out all others, also while the token is being renewed [R76]', async ({place}) => {
	const {server, open, signIn, call} = place;
	const [page, other] = [await open(), await open()];
	for (const each of [page, other]) {
		await each.evaluate(() => {
			const {recipe, heard} = globalThis as unknown as Realm;
			recipe.onSignedOut(() => heard.push('was signed out'));
		});
	}
	const {access_token} = await signIn(page);
	await server.expire(access_token);
	const gate = createGate();
	server.onTokenAnswer(once(gate.pass));
	const late = call(other);
	await gate.reached;
	await page.evaluate(() => (globalThis as unknown as Realm).recipe.signOut());
	gate.open();
	expect(await late).toEqual([401]);
	expect([...(await call(page)), ...(await call(other))]).toEqual([401, 401]);
	for (const each of [page, other]) await expect.poll(() => readable(each)).toContain('was signed out');
	await expect.poll(() => server.revocationRequests.length).toBe(2);
	const refreshTokens = [...server.issued].filter(([, kind]) => kind === 'refresh token').map(([token]) => token);
	for (const token of refreshTokens.slice(-2)) await expect.poll(() => server.isActive(token)).toBe(false);
});

test('a page that leaves while the server renews the token does not end the session', async ({place}) => {
	const {server, open, signIn, call} = place;
	const [leaving, staying] = [await open(), await open()];
	const {access_token} = await signIn(staying);
	await server.expire(access_token);
	const gate = createGate();
	server.onTokenAnswer(once(gate.pass));
	const left = call(leaving).catch(() => 'left');
	await gate.reached;
	await leaving.close();
	expect(await left).toBe('left');
	gate.open();
	expect(await call(staying, 5)).toEqual(ok(5));
	expect(refreshes(server)).toEqual([200]);
});

test('a worker that the browser has stopped has forgotten the session, and the next login begins another', async ({
	place,
}) => {
	const {server, context, open, signIn, call} = place;
	const page = await open();
	await signIn(page);
	expect(await call(page)).toEqual([200]);
	const devTools = await context.newCDPSession(page);
	await devTools.send('ServiceWorker.enable');
	await devTools.send('ServiceWorker.stopAllWorkers');
	expect(await call(page)).toEqual([401]);
	await signIn(page);
	expect(await call(page, 3)).toEqual(ok(3));
	expect(refreshes(server)).toEqual([]);
});
