import {readFileSync} from 'node:fs';
import {describe, expect} from 'vitest';
import {readShown} from '../../playground/parts-of-page.ts';
import {grantsOf, holdRefreshes, type Playground, test, verdicts} from '../support/playground.ts';

/** Returns the present verdicts of both sides. */
const verdictsOf = ({tab}: Playground): Promise<string[]> => tab.locator('#story output').allTextContents();

const won = '1 refresh · 40 calls answered · Ann is still signed in';
const lost = '40 refreshes, 39 refused · Ann is signed out';
/** How many calls both sides make. Each is refused before a refresh is answered. */
const calls = 80;

describe('the comparison, where motion is welcome', {timeout: 180_000}, () => {
	const moving = test
		.override('view', {width: 1_280, height: 800, reducedMotion: 'no-preference'})
		.override('refusals', calls);

	moving('the comparison runs once by itself, and says what the server counted', async ({playground}) => {
		const {server, tab, picture} = playground;
		expect(await verdicts(tab)).toEqual([won, lost]);
		// The last call of the recipe only asks whether Ann is signed in. It also tried to refresh.
		const statuses = grantsOf(server);
		expect([200, 400].map(status => statuses.filter(other => other === status).length)).toEqual([2, 40]);
		expect(server.calls.filter(({status}) => status === 200)).toHaveLength(41);
		// Both sides rotated a refresh token. The server accepts only one of the results.
		const refreshTokens = [...server.issued].filter(([, kind]) => kind === 'refresh token').slice(-4);
		const alive = await Promise.all(refreshTokens.map(([token]) => server.isActive(token)));
		expect(alive.filter(isAlive => isAlive)).toHaveLength(1);
		await picture('story');
		const {length} = server.calls;
		await tab.waitForTimeout(500);
		expect(server.calls).toHaveLength(length);
	});
});

describe('the comparison, where less motion is asked for', {timeout: 180_000}, () => {
	test('the comparison waits for its button if less motion is asked for', async ({playground}) => {
		const {tab, server} = playground;
		expect(await verdictsOf(playground)).toEqual(['Not run yet.', 'Not run yet.']);
		expect(server.calls).toEqual([]);
		expect(await tab.textContent('#compare')).toBe('Run the comparison');
		holdRefreshes(server, calls);
		await tab.press('#compare', 'Enter');
		expect(await verdicts(tab)).toEqual([won, lost]);
		expect(await tab.textContent('#compare')).toBe('Run it again');
	});

	test('the comparison says that Ann is signed out on both sides if the server refuses every refresh', async ({
		playground,
	}) => {
		const {tab, server} = playground;
		server.onToken(() => ({
			status: 400,
			headers: [['content-type', 'application/json']],
			body: JSON.stringify({error: 'invalid_grant'}),
		}));
		await tab.click('#compare');
		const [withRegrant, withRecipe] = await verdicts(tab);
		expect(withRegrant).toBe('1 refresh, 1 refused · Ann is signed out');
		expect(withRecipe).toBe('40 refreshes, 40 refused · Ann is signed out');
	});

	test('the comparison says that Ann is signed in on both sides if the tokens are still valid', async ({
		playground,
	}) => {
		const {tab, context} = playground;
		await context.route('**/expire', route => route.fulfill({json: null}));
		await tab.click('#compare');
		const valid = 'no refresh · 40 calls answered · Ann is still signed in';
		expect(await verdicts(tab)).toEqual([valid, valid]);
	});

	test('the comparison says that it could not run if the page has lost its server', async ({playground}) => {
		const {tab, context} = playground;
		await context.route('**/login', route => route.fulfill({status: 500}));
		await tab.click('#compare');
		const failed = 'The comparison could not run: HTTPError';
		await expect.poll(() => verdictsOf(playground)).toEqual([failed, failed]);
	});

	test('the comparison draws forty calls and one refresh on one side, and forty refreshes on the other', async ({
		playground,
	}) => {
		const {tab, server} = playground;
		holdRefreshes(server, calls);
		await tab.click('#compare');
		await verdicts(tab);
		const textOf = (lane: string): Promise<string | null> =>
			tab.getAttribute(`#story [data-lane="${lane}"] .track`, 'aria-valuetext');
		await expect.poll(() => textOf('regrant')).toBe('1 token request, 40 answered, 40 retried after a 401');
		await expect
			.poll(() => textOf('recipe'))
			.toBe('40 token requests, 39 refused or failed, 40 retried after a 401, 40 × 401 to the caller');
	});

	test('the comparison shows the code of both sides as it is in their source files, and how long each is', async ({
		playground,
	}) => {
		const {tab} = playground;
		const shown = await tab.locator('.codes code').allTextContents();
		expect(shown).toEqual(['with-regrant', 'usual-recipe'].map(readShown));
		const source = readFileSync('playground/page/story/with-regrant.ts', 'utf8').replaceAll('\t', '');
		expect(source).toContain(shown[0]);
		const countLines = (code: string): number => code.split('\n').filter(line => line.trim() !== '').length;
		const captions = (await tab.locator('.codes figcaption').allTextContents()).map(text => text.trim().split(/\s+/));
		expect(captions.map(words => words.slice(-2).join(' '))).toEqual(shown.map(code => `${countLines(code)} lines`));
	});
});

describe('the comparison on a phone', {timeout: 180_000}, () => {
	const phone = test
		.override('view', {width: 360, height: 740, reducedMotion: 'no-preference', colorScheme: 'dark'})
		.override('refusals', calls);

	phone('runs by itself, moves nothing and needs no horizontal scrolling', async ({playground: {tab, picture}}) => {
		expect(await verdicts(tab)).toEqual([won, lost]);
		expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
		await picture('story-on-a-phone');
	});
});
