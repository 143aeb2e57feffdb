import {build} from 'esbuild';
import type {BrowserContext, Page} from 'playwright';
import {expect} from 'vitest';
import type * as recipe from '../../playground/recipes/login-spa.ts';
import {type AuthorizationServer, startAuthorizationServer} from '../support/authorization-server.ts';
import {launchChromium} from '../support/chromium.ts';
import {deviceLogin, discover} from '../../src/login/login.ts';
import {fetchEverySecond, spa, tool} from '../support/login-pages.ts';
import {replacing} from '../support/replacing.ts';
import {serve} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

interface Place {
	readonly server: AuthorizationServer;
	readonly origin: string;
}

async function bundle(place: Readonly<Record<'issuer' | 'clientId' | 'api', string>>): Promise<string> {
	const {outputFiles} = await build({
		stdin: {
			contents: "import * as recipe from './playground/recipes/login-spa.ts'; globalThis.recipe = recipe;",
			resolveDir: '.',
		},
		bundle: true,
		write: false,
		format: 'esm',
		target: 'es2022',
		alias: {
			regrant: './src/index.ts',
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
		const pages = {redirectUris: [`${app.origin}/callback`], postLogoutRedirectUris: [`${app.origin}/`]};
		const server = await startAuthorizationServer({accessTokenSeconds: 60, pages});
		script = await bundle({issuer: server.issuer, clientId: spa.clientId, api: server.api});
		onCleanup(async () => void (await Promise.all([app.close(), server.close()])));
		return {server, origin: app.origin};
	})
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('browser', {scope: 'file'}, async ({}, {onCleanup}) => {
		const browser = await launchChromium();
		onCleanup(() => browser.close());
		return browser;
	})
	.extend('user', async ({browser}, {onCleanup}) => {
		const context = await browser.newContext();
		onCleanup(() => context.close());
		return context;
	})
	.extend('server', async ({place: {server}, canaries}, {onCleanup}) => {
		server.reset();
		onCleanup(() => {
			canaries.plantAll(server.issued);
			server.referee.verdict();
		});
		return server;
	});

/** Opens another tab with the app. */
async function open(context: BrowserContext, url: string, urls: string[] = []): Promise<Page> {
	const page = await context.newPage();
	page.on('framenavigated', frame => void urls.push(frame.url()));
	page.on('request', request => void urls.push(request.url()));
	await page.goto(url);
	return page;
}

const statusOf = async (page: Page, status: string): Promise<void> => {
	await page.waitForFunction(expected => document.body.dataset['status'] === expected, status);
};

/** Fills in the forms of the server's pages until the browser is back at the app. */
async function fillIn(page: Page, name: string): Promise<void> {
	const field = page.getByLabel('Name');
	await page.waitForURL(/\/interaction\//);
	if (await field.isVisible()) {
		await field.fill(name);
		await page.getByRole('button', {name: 'Continue'}).click();
		await page.getByText('May spa do this?').waitFor();
	}
	await page.getByRole('button', {name: 'Continue'}).click();
}

/** Calls the API as the app does. Returns the user that the API knows. */
const call = (page: Page): Promise<string> =>
	page.evaluate(async () => {
		const {api} = (globalThis as unknown as {readonly recipe: typeof recipe}).recipe;
		return (await api.get('me').json<{readonly subject: string}>()).subject;
	});

test('a user logs in, comes back to where they were, calls the API in two tabs, and logs out', async ({
	place: {origin},
	server,
	user,
	canaries,
}) => {
	const urls: string[] = [];
	const page = await open(user, `${origin}/accounts?page=2`, urls);
	await statusOf(page, 'signed-out');
	await page.click('#sign-in');
	await fillIn(page, 'ann');
	await page.waitForURL(`${origin}/accounts?page=2`);
	await statusOf(page, 'signed-in');
	expect(await page.title()).toBe('Hello, ann');
	expect(await call(page)).toBe('ann');
	const other = await open(user, `${origin}/`, urls);
	await statusOf(other, 'signed-in');
	expect(await call(other)).toBe('ann');
	// No URL contains a token, and no page shows the response of the login in its address bar.
	canaries.plantAll(new Map([...server.issued].filter(([, kind]) => kind !== 'id token')));
	urls.forEach(canaries.see);
	expect(await page.evaluate(() => sessionStorage.length)).toBe(0);

	await page.click('#sign-out');
	await page.getByRole('button', {name: 'Sign out'}).click();
	await page.waitForURL(`${origin}/`);
	await statusOf(page, 'signed-out');
	await statusOf(other, 'signed-out');
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	// The user is signed out at the server, too: the next login asks for the name.
	await page.click('#sign-in');
	await page.getByLabel('Name').waitFor();
});

test('a user comes to the logout page of the server even if the refresh token cannot be revoked', async ({
	place: {origin},
	server,
	user,
}) => {
	const page = await open(user, `${origin}/`);
	await statusOf(page, 'signed-out');
	await page.click('#sign-in');
	await fillIn(page, 'ann');
	await statusOf(page, 'signed-in');
	await page.route(server.revocationEndpoint, route => route.fulfill({status: 503}));
	await page.click('#sign-out');
	// The app has such a button, too.
	await page.waitForURL(url => url.origin === new URL(server.issuer).origin);
	await page.getByRole('button', {name: 'Sign out'}).click();
	await page.waitForURL(`${origin}/`);
	await statusOf(page, 'signed-out');
});

test('two tabs that begin a login each come back to where each of them was', async ({place: {origin}, user}) => {
	const [first, second] = [await open(user, `${origin}/a`), await open(user, `${origin}/b`)];
	for (const page of [first, second]) {
		await statusOf(page, 'signed-out');
		await page.click('#sign-in');
		await page.waitForURL(/\/interaction\//);
	}
	await fillIn(second, 'ann');
	await second.waitForURL(`${origin}/b`);
	await statusOf(second, 'signed-in');
	await fillIn(first, 'ann');
	await first.waitForURL(`${origin}/a`);
	expect([await call(first), await call(second)]).toEqual(['ann', 'ann']);
});

test('a user who says no is told, and may begin again', async ({place: {origin}, user}) => {
	const page = await open(user, `${origin}/`);
	await statusOf(page, 'signed-out');
	await page.click('#sign-in');
	await page.getByRole('button', {name: 'Cancel'}).click();
	await statusOf(page, 'Refused: access_denied');
	// The error of the server is no longer in the address bar, so a reload does not show it again.
	expect(page.url()).toBe(`${origin}/`);
	await page.reload();
	await statusOf(page, 'signed-out');
	await page.click('#sign-in');
	await fillIn(page, 'ann');
	await page.waitForURL(`${origin}/`);
	await statusOf(page, 'signed-in');
});

test('a callback address that was used before, or that belongs to another tab, finishes no login', async ({
	place: {origin},
	server,
	user,
}) => {
	const urls: string[] = [];
	const page = await open(user, `${origin}/`, urls);
	await statusOf(page, 'signed-out');
	await page.click('#sign-in');
	await fillIn(page, 'ann');
	await statusOf(page, 'signed-in');
	const callback = urls.find(url => url.includes('code=')) ?? '';
	const over = 'This login is over, or began in another tab: begin another login';
	for (const tab of [page, await user.newPage()]) {
		await tab.goto(callback);
		await statusOf(tab, over);
		expect(tab.url()).toBe(`${origin}/`);
	}
	// The existing session continues.
	expect(await call(page)).toBe('ann');
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
});

test('a user enters the code of a device in a browser, on the page of the server', async ({server, user}) => {
	const client = {...(await discover(server.issuer)), clientId: tool.clientId, fetch: fetchEverySecond};
	const token = await deviceLogin(
		{...client, scope: 'openid /accounts.read'},
		async ({verification_uri, user_code}) => {
			const page = await user.newPage();
			await page.goto(verification_uri);
			await page.locator('input[name=user_code]').fill(user_code);
			await page.getByRole('button', {name: 'Continue'}).click();
			await page.getByText(`Is this the code: ${user_code}?`).waitFor();
			await page.getByRole('button', {name: 'Continue'}).click();
			await page.getByLabel('Name').fill('ann');
			await page.getByRole('button', {name: 'Continue'}).click();
			await page.getByText('May tool do this?').waitFor();
			await page.getByRole('button', {name: 'Continue'}).click();
			await page.getByText('You are signed in').waitFor();
		},
	);
	expect(await server.findBound(token.access_token)).toMatchObject({subject: 'ann'});
});
