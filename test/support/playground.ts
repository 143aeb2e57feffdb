import {mkdirSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import type {BrowserContext, Page} from 'playwright';
import {expect, test as base} from 'vitest';
import {pages} from '../../playground/authorization-server.ts';
import {type PageOptions, servePage} from '../../playground/page-server.ts';
import type {TroubleName} from '../../playground/page/stage/troubles.ts';
import {type AuthorizationServer, startAuthorizationServer} from './authorization-server.ts';
import {launchChromium} from './chromium.ts';

/** The page of the playground in a browser tab, and its server. */
export interface Playground {
	readonly tab: Page;
	readonly context: BrowserContext;
	readonly server: AuthorizationServer;
	/** Clicks a control of the drawer. Returns what the page then says about it. */
	click(id: string): Promise<string>;
	choose(id: string, value: string): Promise<string>;
	/** Waits until a lane of the drawer has this summary. */
	summary(lane: string, expected: string | RegExp): Promise<void>;
	/** Opens another tab with the control of the first tab. */
	openOther(): Promise<Page>;
	/** Runs the comparison with its button. Returns both verdicts. */
	compare(): Promise<string[]>;
	/** Plays a trouble on the stage. Returns what the page says about it. */
	play(trouble: TroubleName): Promise<Played>;
	/** Takes a screenshot for people to look at. */
	picture(name: string): Promise<void>;
}

/** What the page says about a trouble that was played. */
export interface Played {
	readonly verdict: string;
	readonly happened: string;
	readonly why: string;
}

/** Options of the page. */
export interface View {
	readonly width: number;
	readonly height: number;
	readonly colorScheme?: 'light' | 'dark';
	/** With `no-preference` the comparison starts by itself, so the server also counts its requests. */
	readonly reducedMotion?: 'reduce' | 'no-preference';
}

const pictures = 'test/pictures';
// The timeout is long, because a busy machine needs minutes for a thousand calls.
const patience = 300_000;
/** How many milliseconds a refresh is held back at most. That is less than its deadline. */
const longestHold = 8_000;

/** Returns what a tab says about a control of the drawer, or about its group, when the action is complete. */
export async function said(tab: Page, id: string): Promise<string> {
	const group = tab.locator(`fieldset:has(#${id}) output`);
	await expect.poll(() => group.textContent(), {timeout: patience}).toMatch(/[^…]/);
	return (await group.textContent()) ?? '';
}

/** Waits until the controls of a tab work. */
export async function ready(tab: Page): Promise<Page> {
	await tab.waitForFunction(() => /^tab \d+$/.test(document.getElementById('name')?.textContent ?? ''));
	return tab;
}

/** Signs Ann in at the login page of the server. Returns what the page says when the tab has come back. */
export async function signIn(tab: Page): Promise<string> {
	await tab.click('#sign-in');
	await fillIn(tab, 'Ann');
	return comeBack(tab);
}

/** Fills in the forms of the server: the name, unless the server knows it, and the consent. */
export async function fillIn(tab: Page, name: string): Promise<void> {
	const next = tab.getByRole('button', {name: 'Continue'});
	await tab.waitForURL(/\/interaction\//);
	if (await tab.getByLabel('Name').isVisible()) {
		await tab.getByLabel('Name').fill(name);
		await next.click();
		await tab.getByText('May app do this?').waitFor();
	}
	await next.click();
}

/** Waits until the tab has come back from the server. Returns what the page says about the login. */
export async function comeBack(tab: Page): Promise<string> {
	await ready(tab);
	return said(tab, 'sign-in');
}

/** Opens the drawer of a tab, if it is closed. */
export async function openDrawer(tab: Page): Promise<void> {
	if (await tab.evaluate(() => document.querySelector('details')?.open)) return;
	await tab.click('#drawer > summary');
	await settled(tab);
}

/** Waits until the browser has laid out the page and has reported what moved. */
export async function settled(tab: Page): Promise<void> {
	await tab.evaluate(async () => {
		await new Promise(requestAnimationFrame);
		await new Promise(requestAnimationFrame);
	});
}

/** Waits until the comparison has run. Returns both verdicts. */
export async function verdicts(tab: Page): Promise<string[]> {
	const read = (): Promise<string[]> => tab.locator('#story output').allTextContents();
	const isOver = (texts: readonly string[]): boolean => texts.every(text => text.includes('Ann is'));
	await expect.poll(read, {timeout: patience}).toSatisfy(isOver);
	return read();
}

async function play(tab: Page, trouble: TroubleName): Promise<Played> {
	const panel = tab.locator(`[data-trouble="${trouble}"]`);
	await tab.check(`input[value="${trouble}"]`);
	await panel.getByRole('button').click();
	const read = async (name: string): Promise<string> => (await panel.locator(`.told .${name}`).textContent()) ?? '';
	await expect.poll(() => read('verdict'), {timeout: patience}).not.toMatch(/^Running|^Not played/);
	const [verdict, happened, why] = await Promise.all(['verdict', 'happened', 'why'].map(read));
	return {verdict: verdict ?? '', happened: happened ?? '', why: why ?? ''};
}

/** A performance entry of the type `layout-shift`. TypeScript does not know it. */
interface Shift extends PerformanceEntry {
	readonly sources: ReadonlyArray<{
		readonly node: Node | null;
		readonly previousRect: DOMRect;
		readonly currentRect: DOMRect;
	}>;
}

/** Records in `window.shifts` what moves on the page, even right after a click. Only opening a `details` may move other elements. */
function noteShifts(): void {
	const counter = Object.assign(window, {shifts: [] as string[]});
	new PerformanceObserver(list => {
		if (document.activeElement?.closest('summary')) return;
		for (const {startTime, sources} of list.getEntries() as Shift[]) {
			for (const {node, previousRect: from, currentRect: to} of sources) {
				const name = node instanceof Element ? `${node.localName}#${node.id}` : node?.textContent;
				counter.shifts.push(`${name} from ${from.x}, ${from.y} to ${to.x}, ${to.y} after ${startTime} ms`);
			}
		}
	}).observe({type: 'layout-shift', buffered: true});
}

/** Takes a screenshot of the whole page. The browser lays the page out again for that, so shifts during the screenshot do not count. */
async function takePicture(tab: Page, name: string): Promise<void> {
	const before = await tab.evaluate('window.shifts.slice()');
	await tab.screenshot({path: `${pictures}/${name}.png`, fullPage: true});
	await settled(tab);
	await tab.evaluate(shifts => void Object.assign(window, {shifts}), before);
}

interface Watched {
	/** Things that no test allows, such as errors on the page. */
	readonly wrongs: readonly string[];
	/** The reports that the tabs have sent to the server, which passes them on to all tabs. */
	readonly reports: readonly string[];
}

/** Watches all tabs. */
function watch(context: BrowserContext): Watched {
	const wrongs: string[] = [];
	const reports: string[] = [];
	context.on('request', request => {
		const {protocol, hostname, pathname} = new URL(request.url());
		if (protocol !== 'data:' && hostname !== '127.0.0.1') wrongs.push(`left for ${hostname}`);
		if (pathname === '/reports') reports.push(request.postData() ?? '');
	});
	context.on('weberror', error => wrongs.push(error.error().message));
	context.on('console', message => {
		const isOfBrowser = message.text().startsWith('Failed to load resource: the server responded with a status of');
		if (['error', 'warning'].includes(message.type()) && !isOfBrowser) wrongs.push(message.text());
	});
	return {wrongs, reports};
}

/**
vitest's `test` with a `playground`. Each test has its own page and browser profile, and the tests of a file share one server. After each
test it checks that no request left this machine, that the console is empty, that nothing on the page moved, and that no secret is shown.

- `view`: `test.override('view', {width: 360, height: 800})`.
- `refusals`: how many calls the API refuses before any refresh is answered, for what the page does by itself: see `holdRefreshes`.
- `pageOptions`: the page as it was built, in place of its sources.
*/
export const test = base
	.extend('view', {width: 1_180, height: 1_000} as View)
	.extend('refusals', 0 as number)
	.extend('pageOptions', {scope: 'file'}, {} as PageOptions)
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('browser', {scope: 'file'}, async ({}, {onCleanup}) => {
		// The browser can resolve no host but this machine.
		const browser = await launchChromium(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']);
		onCleanup(() => browser.close());
		return browser;
	})
	.extend('place', {scope: 'file'}, async ({pageOptions}, {onCleanup}) => {
		const server = await startAuthorizationServer({accessTokenSeconds: 600, pages});
		const page = await servePage(server, {traced: ['What was printed'], ...pageOptions});
		onCleanup(async () => {
			await page.close();
			await server.close();
		});
		return {server, origin: page.origin};
	})
	.extend(
		'playground',
		async ({browser, view, refusals, place: {server, origin}}, {onCleanup}): Promise<Playground> => {
			server.reset();
			if (refusals > 0) holdRefreshes(server, refusals);
			const {width, height, colorScheme = 'light', reducedMotion = 'reduce'} = view;
			const context = await browser.newContext({viewport: {width, height}, colorScheme, reducedMotion});
			await context.addInitScript(noteShifts);
			const {wrongs, reports} = watch(context);
			onCleanup(async () => {
				const pages = await Promise.all(context.pages().map(async page => ({html: await page.content(), page})));
				const shifts = await Promise.all(pages.map(({page}) => page.evaluate('window.shifts')));
				await context.close();
				expect(wrongs).toEqual([]);
				expect(shifts).toEqual(pages.map(() => []));
				const shown = [...pages.map(({html}) => html), ...reports].join('\n');
				const secrets = [...server.issued.keys()].filter(secret => shown.includes(secret));
				expect(secrets).toEqual([]);
			});
			const tab = await context.newPage();
			await tab.goto(origin);
			await ready(tab);
			mkdirSync(pictures, {recursive: true});
			return {
				tab,
				context,
				server,
				async click(id) {
					await openDrawer(tab);
					if (id === 'sign-in') return signIn(tab);
					await tab.click(`#${id}`);
					return said(tab, id);
				},
				async choose(id, value) {
					await openDrawer(tab);
					await tab.selectOption(`#${id}`, value);
					return said(tab, id);
				},
				async compare() {
					await tab.click('#compare');
					return verdicts(tab);
				},
				play: trouble => play(tab, trouble),
				async summary(lane, expected) {
					await expect
						.poll(() => tab.textContent(`#drawer [data-lane="${lane}"] .summary`))
						.toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
				},
				async openOther() {
					await openDrawer(tab);
					const opened = context.waitForEvent('page');
					await tab.click('#new-tab');
					const other = await ready(await opened);
					await openDrawer(other);
					return other;
				},
				picture: name => takePicture(tab, name),
			};
		},
	);

/**
Holds refreshes back until the API has refused so many more calls. So all of these calls carry the old token, and none is refused so late
that it begins another refresh, however slow the machine is.
*/
export function holdRefreshes(server: AuthorizationServer, count: number): void {
	const countRefused = (): number => server.calls.filter(({status}) => status === 401).length;
	const enough = countRefused() + count;
	server.onToken(async ({parameters}) => {
		if (parameters.get('grant_type') !== 'refresh_token') return;
		// If a call fails in another way, the refresh is sent before its deadline, and the test says what came of that.
		for (let time = 0; time < longestHold && countRefused() < enough; time += 10) await sleep(10);
	});
}

/** Returns the statuses of the token requests, without those of logins. */
export const grantsOf = ({tokenRequests}: AuthorizationServer): number[] =>
	tokenRequests
		.filter(({parameters}) => parameters.get('grant_type') !== 'authorization_code')
		.map(({status}) => status);

/** Returns how often the API answered with each status. */
export function callsOf({calls}: AuthorizationServer): string {
	const counts = new Map<number, number>();
	for (const {status} of calls) counts.set(status, (counts.get(status) ?? 0) + 1);
	return [...counts]
		.toSorted(([one], [other]) => one - other)
		.map(([status, times]) => `${times} × ${status}`)
		.join(', ');
}
