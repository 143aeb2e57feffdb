import {build} from 'esbuild';
import type {BrowserContext, Page} from 'playwright';
import {expect} from 'vitest';
import type * as recipe from '../../playground/recipes/dpop-spa.ts';
import {type AuthorizationServer, startAuthorizationServer} from '../support/authorization-server.ts';
import {launchChromium} from '../support/chromium.ts';
import {type DpopApi, startDpopApi} from '../support/dpop-api.ts';
import {spa} from '../support/login-pages.ts';
import {replacing} from '../support/replacing.ts';
import {serve} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

interface Place {
	readonly server: AuthorizationServer;
	readonly api: DpopApi;
	readonly origin: string;
}

async function bundle(place: Readonly<Record<'issuer' | 'clientId' | 'api', string>>): Promise<string> {
	const {outputFiles} = await build({
		stdin: {
			contents: "import * as recipe from './playground/recipes/dpop-spa.ts'; globalThis.recipe = recipe;",
			resolveDir: '.',
		},
		bundle: true,
		write: false,
		format: 'esm',
		target: 'es2022',
		alias: {
			regrant: './src/index.ts',
			'regrant/dpop': './src/dpop.ts',
			'regrant/login': './src/login/login.ts',
			'regrant/web': './src/stores/web.ts',
		},
		plugins: [
			replacing({
				'https://login.example.com': place.issuer,
				"'spa'": JSON.stringify(place.clientId),
				'https://api.example.com': place.api,
			}),
		],
	});
	return outputFiles[0]?.text ?? '';
}

const html = `<!doctype html><meta charset="utf-8"><title>app</title>
<body><button id="sign-in">Sign in</button><button id="sign-out">Sign out</button>
<script type="module" src="/app.js"></script>`;

const test = base
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('place', {scope: 'file'}, async ({}, {onCleanup}): Promise<Place> => {
		let script = '';
		const app = await serve((_request, {path}) =>
			path === '/app.js'
				? {headers: [['content-type', 'text/javascript']], body: script}
				: {headers: [['content-type', 'text/html']], body: html},
		);
		const pages = {redirectUris: [`${app.origin}/callback`]};
		const server = await startAuthorizationServer({accessTokenSeconds: 60, pages});
		const api = await startDpopApi(server.findBound);
		script = await bundle({issuer: server.issuer, clientId: spa.clientId, api: api.origin});
		onCleanup(async () => void (await Promise.all([app.close(), api.close(), server.close()])));
		return {server, api, origin: app.origin};
	})
	.extend('user', async ({place: {server, api}, canaries}, {onCleanup}): Promise<BrowserContext> => {
		server.reset();
		api.reset();
		const browser = await launchChromium();
		onCleanup(async () => {
			await browser.close();
			canaries.plantAll(server.issued);
			server.referee.verdict();
		});
		return browser.newContext();
	});

async function open(context: BrowserContext, url: string): Promise<Page> {
	const page = await context.newPage();
	await page.goto(url);
	return page;
}

const statusOf = async (page: Page, status: string): Promise<void> => {
	await page.waitForFunction(expected => document.body.dataset['status'] === expected, status);
};

async function signIn(page: Page): Promise<void> {
	await statusOf(page, 'signed-out');
	await page.click('#sign-in');
	await page.getByLabel('Name').fill('ann');
	await page.getByRole('button', {name: 'Continue'}).click();
	await page.getByText('May spa do this?').waitFor();
	await page.getByRole('button', {name: 'Continue'}).click();
	await statusOf(page, 'signed-in');
}

/** Calls the API as the app does. Returns the user that the API knows, or the error. */
const call = (page: Page): Promise<string> =>
	page.evaluate(async () => {
		const {api} = (globalThis as unknown as {readonly recipe: typeof recipe}).recipe;
		try {
			return (await api.get('accounts').json<{readonly subject: string}>()).subject;
		} catch (error) {
			return (error as Error).name;
		}
	});

/** Steals the access token, as an attacker's script on the page could. */
const tokenOf = (page: Page): Promise<string> =>
	page.evaluate(async () => {
		const {auth} = (globalThis as unknown as {readonly recipe: typeof recipe}).recipe;
		return (await auth.getToken()).access_token;
	});

test('a user logs in, and calls the API in two tabs with one key, also after a reload and a refresh', async ({
	place: {server, api, origin},
	user,
}) => {
	const page = await open(user, `${origin}/`);
	await signIn(page);
	expect(await call(page)).toBe('ann');
	const other = await open(user, `${origin}/`);
	await statusOf(other, 'signed-in');
	expect(await call(other)).toBe('ann');
	await server.expire(await tokenOf(page));
	expect(await Promise.all([call(page), call(other)])).toEqual(['ann', 'ann']);
	await page.reload();
	await statusOf(page, 'signed-in');
	expect(await call(page)).toBe('ann');
	for (const {headers} of api.calls) expect(headers['authorization'] ?? '').toMatch(/^DPoP /);
	// One grant for the login, and one refresh for both tabs.
	expect(server.tokenRequests.filter(({status}) => status === 200)).toHaveLength(2);
});

test('a token that was stolen is of no use elsewhere', async ({place: {api, origin}, user}) => {
	const page = await open(user, `${origin}/`);
	await signIn(page);
	const token = await tokenOf(page);
	const proof = api.calls.at(-1)?.headers['dpop'] ?? '';
	for (const headers of [
		{authorization: `Bearer ${token}`},
		{authorization: `DPoP ${token}`},
		{authorization: `DPoP ${token}`, dpop: proof},
	]) {
		expect((await fetch(`${api.origin}/accounts`, {headers})).status).toBe(401);
	}
});

test('a session whose key the browser has deleted ends, and a new login works', async ({place: {origin}, user}) => {
	const page = await open(user, `${origin}/`);
	await signIn(page);
	expect(await call(page)).toBe('ann');
	await page.evaluate(() => void indexedDB.deleteDatabase('regrant-dpop'));
	await page.reload();
	await statusOf(page, 'signed-in');
	expect(await call(page)).toBe('SessionEndedError');
	await statusOf(page, 'signed-out');
	await page.click('#sign-in');
	// The server still knows the user, and only asks for consent.
	await page.getByRole('button', {name: 'Continue'}).click();
	await statusOf(page, 'signed-in');
	expect(await call(page)).toBe('ann');
});
