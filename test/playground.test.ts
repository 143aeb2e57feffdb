import {mkdirSync} from 'node:fs';
import type {BrowserContext, Page} from 'playwright';
import {describe, expect, test as base} from 'vitest';
import {servePage} from '../playground/page.ts';
import {type AuthorizationServer, startAuthorizationServer} from './support/authorization-server.ts';
import {launchChromium} from './support/chromium.ts';

/** The page in a tab of a browser, and the server whose word counts. */
interface Playground {
	readonly tab: Page;
	readonly context: BrowserContext;
	readonly server: AuthorizationServer;
	/** What was written to the console, and was not the browser's own remark about a status. */
	readonly complaints: readonly string[];
	/** Clicks a control, and gives what the page then says about it. */
	click(id: string): Promise<string>;
	choose(id: string, value: string): Promise<string>;
	/** What the page says of a lane: once it says what is expected, or after a while. */
	summary(lane: string, expected: string): Promise<void>;
	/** For people to look at. */
	picture(name: string): Promise<void>;
}

const pictures = 'test/pictures';

const said = async (tab: Page): Promise<string> => {
	// A thousand calls take a busy machine a while.
	await tab.waitForFunction(() => document.getElementById('status')?.textContent !== '…', undefined, {
		timeout: 120_000,
	});
	return (await tab.textContent('#status')) ?? '';
};

const openTab = async (context: BrowserContext, origin: string, complaints: string[]): Promise<Page> => {
	const tab = await context.newPage();
	tab.on('pageerror', error => complaints.push(error.message));
	tab.on('console', message => {
		const isOfBrowser = message.text().startsWith('Failed to load resource: the server responded with a status of');
		if (['error', 'warning'].includes(message.type()) && !isOfBrowser) complaints.push(message.text());
	});
	await tab.goto(origin);
	await tab.waitForFunction(() => document.getElementById('name')?.textContent !== 'a tab');
	return tab;
};

const test = base
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('browser', {scope: 'file'}, async ({}, {onCleanup}) => {
		const browser = await launchChromium();
		onCleanup(() => browser.close());
		return browser;
	})
	// oxlint-disable-next-line no-empty-pattern -- the same
	.extend('place', {scope: 'file'}, async ({}, {onCleanup}) => {
		const server = await startAuthorizationServer({accessTokenSeconds: 60});
		const page = await servePage(server, ['What was printed']);
		onCleanup(async () => {
			await page.close();
			await server.close();
		});
		return {server, origin: page.origin};
	})
	.extend('playground', async ({browser, place: {server, origin}}, {onCleanup}): Promise<Playground> => {
		server.reset();
		// A profile of its own, and so a session of its own.
		const context = await browser.newContext({viewport: {width: 1_100, height: 1_000}});
		onCleanup(() => context.close());
		const complaints: string[] = [];
		const tab = await openTab(context, origin, complaints);
		mkdirSync(pictures, {recursive: true});
		return {
			tab,
			context,
			server,
			complaints,
			async click(id) {
				await tab.click(`#${id}`);
				return said(tab);
			},
			async choose(id, value) {
				await tab.selectOption(`#${id}`, value);
				return said(tab);
			},
			summary: async (lane, expected) => {
				await expect.poll(() => tab.textContent(`[data-lane="${lane}"] p`), {timeout: 5_000}).toBe(expected);
			},
			picture: async name => void (await tab.screenshot({path: `${pictures}/${name}.png`, fullPage: true})),
		};
	});

const grantsOf = ({tokenRequests}: AuthorizationServer): number[] => tokenRequests.map(({status}) => status);
const callsOf = ({calls}: AuthorizationServer): string => {
	const counts = new Map<number, number>();
	for (const {status} of calls) counts.set(status, (counts.get(status) ?? 0) + 1);
	return [...counts]
		.toSorted(([one], [other]) => one - other)
		.map(([status, times]) => `${times} × ${status}`)
		.join(', ');
};

describe('the playground', {timeout: 60_000}, () => {
	test('sends forty calls with a token that has expired, and shows one grant', async ({playground}) => {
		const {server, click, summary, picture, complaints, tab} = playground;
		expect(await click('sign-in')).toBe('signed in');
		await click('expire');
		expect(await click('send-40')).toBe('40 sent: 40 answered 200');
		expect([grantsOf(server), callsOf(server)]).toEqual([[200], '40 × 200, 40 × 401']);
		await summary('tab 1', '1 grant, 40 × 200, 40 × 401');
		expect(await tab.locator('[data-lane="tab 1"] .mark.good').count()).toBe(40);
		expect(await tab.locator('[data-lane="tab 1"] .mark.refused').count()).toBe(40);
		expect(await tab.locator('[data-lane="tab 1"] .mark.grant').count()).toBe(1);
		await picture('forty-calls');
		expect(complaints).toEqual([]);
	});

	test('sends one call, and a thousand', {timeout: 180_000}, async ({playground: {server, click}}) => {
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
		await click('expire');
		expect(await click('send-1000')).toBe('1000 sent: 1000 answered 200');
		expect([grantsOf(server), callsOf(server)]).toEqual([[200], '1001 × 200, 1000 × 401']);
	});

	test('loses the session of the usual recipe, and shows it', async ({playground}) => {
		const {tab, server, click, picture} = playground;
		expect(await click('recipe-40')).toBe('by the recipe, 40 sent: 40 answered 200');
		await click('expire');
		expect(await click('recipe-40')).not.toContain('40 answered 200');
		expect(grantsOf(server).filter(status => status === 400).length).toBeGreaterThan(0);
		expect(await click('recipe-40')).toBe('by the recipe, 40 sent: 40 answered 401');
		await picture('recipe');
		await click('recipe-sign-in');
		expect(await click('recipe-40')).toBe('by the recipe, 40 sent: 40 answered 200');
		await click('clear');
		expect(await tab.locator('.track .mark').count()).toBe(0);
	});

	test('ends the session when the refresh token is revoked, and begins another', async ({playground}) => {
		const {server, click} = playground;
		await click('sign-in');
		await click('revoke');
		// The rest were refused when there was nothing left to renew with.
		expect(await click('send-40')).toMatch(/^40 sent: .*\d SessionEndedError \(session_ended\)/);
		expect(grantsOf(server)).toEqual([400]);
		expect(await click('send-1')).toBe('1 sent: 1 answered 401');
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
	});

	test('signs out', async ({playground: {server, click}}) => {
		await click('sign-in');
		expect(await click('sign-out')).toBe('signed out');
		expect(server.revocationRequests).toHaveLength(1);
		expect(await click('send-1')).toBe('1 sent: 1 answered 401');
		expect(grantsOf(server)).toEqual([]);
	});

	test.for([
		['unavailable', 503, 'TokenResponseError (unexpected_status)'],
		['busy', 429, 'TokenResponseError (unexpected_status)'],
	] as const)('keeps the session while the token endpoint is %s', async ([mood, status, error], {playground}) => {
		const {server, click, choose} = playground;
		await click('sign-in');
		expect(await choose('mood', mood)).toBe(`the token endpoint is ${mood}`);
		await click('expire');
		expect(await click('send-40')).toBe(`40 sent: 40 ${error}`);
		expect(grantsOf(server)).toEqual([status]);
		await choose('mood', 'normal');
		await expect.poll(() => click('send-1'), {timeout: 15_000, interval: 500}).toBe('1 sent: 1 answered 200');
	});

	test('waits for a slow token endpoint, and lets go of calls that are aborted', async ({playground}) => {
		const {server, tab, click, choose} = playground;
		await click('sign-in');
		await choose('mood', 'slow');
		await click('expire');
		await tab.click('#send-40');
		await expect.poll(() => grantsOf(server)).toEqual([0]);
		await tab.click('#abort');
		await expect.poll(() => tab.textContent('#status')).toBe('40 sent: 40 AbortError');
		// The grant goes on, and the next calls have its token.
		expect(await click('send-40')).toBe('40 sent: 40 answered 200');
		expect(grantsOf(server)).toEqual([200]);
	});

	test('loses the session where the answer is lost after the rotation, which nobody can help', async ({playground}) => {
		const {server, click, choose} = playground;
		await click('sign-in');
		await choose('mood', 'lossy');
		await click('expire');
		expect(await click('send-40')).toBe('40 sent: 40 TokenResponseError (unexpected_status)');
		await choose('mood', 'normal');
		await expect.poll(() => click('send-1'), {timeout: 15_000, interval: 500}).toContain('SessionEndedError');
		expect(grantsOf(server)).toEqual([400]);
	});

	test('goes offline, and back', async ({playground: {tab, server, click}}) => {
		await click('sign-in');
		await tab.check('#offline');
		expect(await click('send-1')).toBe('1 sent: 1 NetworkError');
		expect(server.calls).toEqual([]);
		await tab.uncheck('#offline');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
	});

	test('shares the session with another tab, which shows in both', async ({playground}) => {
		const {tab, context, server, click, summary, picture} = playground;
		await click('sign-in');
		const opened = context.waitForEvent('page');
		await click('new-tab');
		const other = await opened;
		await other.waitForFunction(() => document.getElementById('name')?.textContent === 'tab 2');
		await click('expire');
		await Promise.all([tab.click('#send-40'), other.click('#send-40')]);
		expect(await said(tab)).toBe('40 sent: 40 answered 200');
		expect(await said(other)).toBe('40 sent: 40 answered 200');
		expect(grantsOf(server)).toEqual([200]);
		await expect.poll(() => tab.textContent('[data-lane="tab 2"] p')).toContain('40 × 200');
		await expect.poll(() => other.textContent('[data-lane="tab 1"] p')).toContain('40 × 200');
		await picture('two-tabs');
		await summary('tab 1', (await tab.textContent('[data-lane="tab 1"] p')) ?? '');
	});

	test.for(['localStorage', 'sessionStorage', 'memory'])('keeps a session in %s', async (store, {playground}) => {
		const {tab, click, choose} = playground;
		await choose('store', store);
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
		const stored = await tab.evaluate(() =>
			[localStorage, sessionStorage].map(storage => storage.getItem('playground-session') !== null),
		);
		expect(stored).toEqual([store === 'localStorage', store === 'sessionStorage']);
	});

	test('shows no secret, not even in what is hovered over', async ({playground: {tab, server, click}}) => {
		await click('sign-in');
		await click('expire');
		await click('send-40');
		await expect.poll(() => tab.locator('.track .mark.good').count()).toBe(40);
		const html = await tab.content();
		expect([...server.issued.keys()].filter(secret => html.includes(secret))).toEqual([]);
		expect(await tab.getAttribute('.track .mark.grant', 'title')).toMatch(
			/^POST \/token, refresh_token #[0-9a-f]{4} → 200$/,
		);
	});

	test('can be used with a keyboard, read without seeing it, and fits a small screen', async ({playground}) => {
		const {tab, click, picture} = playground;
		const names = await tab.evaluate(() =>
			[...document.querySelectorAll<HTMLInputElement>('button, select, input')].map(
				control => control.labels?.[0]?.textContent.trim() || control.textContent.trim(),
			),
		);
		expect(names.filter(name => name === '')).toEqual([]);
		await tab.focus('#sign-in');
		await tab.keyboard.press('Enter');
		await expect.poll(() => tab.textContent('#status')).toBe('signed in');
		await click('expire');
		await click('send-40');
		await tab.setViewportSize({width: 360, height: 800});
		expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
		await expect
			.poll(() => tab.getAttribute('[data-lane="tab 1"] .track', 'aria-label'))
			.toBe('1 grant, 40 × 200, 40 × 401');
		await picture('small');
		await tab.emulateMedia({colorScheme: 'dark'});
		expect(await tab.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('light dark');
		await picture('small-dark');
		expect(await tab.locator('#requests li').count()).toBeGreaterThanOrEqual(82);
	});

	test('does not shift while it fills', async ({playground: {tab, click}}) => {
		await tab.evaluate(() => {
			const shifts = ((window as unknown as {shifts: number}).shifts = 0);
			new PerformanceObserver(list => {
				for (const entry of list.getEntries()) {
					const {value, hadRecentInput} = entry as unknown as {value: number; hadRecentInput: boolean};
					if (!hadRecentInput) (window as unknown as {shifts: number}).shifts += value;
				}
			}).observe({type: 'layout-shift', buffered: true});
			return shifts;
		});
		await click('sign-in');
		await click('expire');
		await click('send-40');
		await expect.poll(() => tab.locator('.track .mark.good').count()).toBe(40);
		expect(await tab.evaluate(() => (window as unknown as {shifts: number}).shifts)).toBeLessThan(0.1);
	});
});
