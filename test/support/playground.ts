import {mkdirSync} from 'node:fs';
import type {BrowserContext, Page} from 'playwright';
import {expect, test as base} from 'vitest';
import {type PageOptions, servePage} from '../../playground/page-server.ts';
import {type AuthorizationServer, startAuthorizationServer} from './authorization-server.ts';
import {launchChromium} from './chromium.ts';

/** The page in a tab of a browser, and the server whose word counts. */
export interface Playground {
	readonly tab: Page;
	readonly context: BrowserContext;
	readonly server: AuthorizationServer;
	/** Clicks a control, and gives what the page then says about it. */
	click(id: string): Promise<string>;
	choose(id: string, value: string): Promise<string>;
	/** Waits until the page says this of a lane. */
	summary(lane: string, expected: string | RegExp): Promise<void>;
	/** Opens another tab by the control of the first. */
	openOther(): Promise<Page>;
	/** For people to look at. */
	picture(name: string): Promise<void>;
}

/** How the page is to be opened. */
export interface View {
	readonly width: number;
	readonly height: number;
	readonly colorScheme?: 'light' | 'dark';
}

const pictures = 'test/pictures';
// A thousand calls take a busy machine a while.
const patience = 120_000;

/** What a tab says of the control that was used last, when it is done. */
export async function said(tab: Page): Promise<string> {
	await tab.waitForFunction(() => document.getElementById('status')?.textContent !== '…', undefined, {
		timeout: patience,
	});
	return (await tab.textContent('#status')) ?? '';
}

/** Waits until the controls of a tab live. */
export async function ready(tab: Page): Promise<Page> {
	await tab.waitForFunction(() => document.getElementById('name')?.textContent !== 'a tab');
	return tab;
}

/** An entry of the kind `layout-shift`, which the types do not know. */
interface Shift extends PerformanceEntry {
	readonly sources: ReadonlyArray<{
		readonly node: Node | null;
		readonly previousRect: DOMRect;
		readonly currentRect: DOMRect;
	}>;
}

/** Writes down in the page what moves in it, also right after a click: `window.shifts`. What is folded out has been asked to move the rest. */
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

/** The camera makes the page as large as it is high, and lays it out for that, which is no shift that anybody sees. */
async function takePicture(tab: Page, name: string): Promise<void> {
	const before = await tab.evaluate('window.shifts.slice()');
	await tab.screenshot({path: `${pictures}/${name}.png`, fullPage: true});
	await tab.evaluate(async shifts => {
		await new Promise(requestAnimationFrame);
		await new Promise(requestAnimationFrame);
		Object.assign(window, {shifts});
	}, before);
}

interface Watched {
	/** What should never happen, whatever a test does. */
	readonly wrongs: readonly string[];
	/** What the tabs have reported to one another. */
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
vitest's `test` with a `playground`: a page and a profile of its own for each test, one server for all tests of a file. After each test
no request has left this machine, nothing was written to the console, nothing has moved, and no secret shows.

- `view`: `test.override('view', {width: 360, height: 800})`.
- `pageOptions`: the page as it was built, in place of its sources.
*/
export const test = base
	.extend('view', {width: 1_180, height: 1_000} as View)
	.extend('pageOptions', {scope: 'file'}, {} as PageOptions)
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('browser', {scope: 'file'}, async ({}, {onCleanup}) => {
		// Nothing but this machine can be found.
		const browser = await launchChromium(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']);
		onCleanup(() => browser.close());
		return browser;
	})
	.extend('place', {scope: 'file'}, async ({pageOptions}, {onCleanup}) => {
		const server = await startAuthorizationServer({accessTokenSeconds: 60});
		const page = await servePage(server, {traced: ['What was printed'], ...pageOptions});
		onCleanup(async () => {
			await page.close();
			await server.close();
		});
		return {server, origin: page.origin};
	})
	.extend('playground', async ({browser, view, place: {server, origin}}, {onCleanup}): Promise<Playground> => {
		server.reset();
		const {width, height, colorScheme = 'light'} = view;
		const context = await browser.newContext({viewport: {width, height}, colorScheme});
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
				await tab.click(`#${id}`);
				return said(tab);
			},
			async choose(id, value) {
				await tab.selectOption(`#${id}`, value);
				return said(tab);
			},
			async summary(lane, expected) {
				await expect
					.poll(() => tab.textContent(`[data-lane="${lane}"] .summary`), {timeout: 10_000})
					.toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
			},
			async openOther() {
				const opened = context.waitForEvent('page');
				await tab.click('#new-tab');
				return ready(await opened);
			},
			picture: name => takePicture(tab, name),
		};
	});

/** The statuses of the token requests. */
export const grantsOf = ({tokenRequests}: AuthorizationServer): number[] => tokenRequests.map(({status}) => status);

/** How often the API answered what. */
export function callsOf({calls}: AuthorizationServer): string {
	const counts = new Map<number, number>();
	for (const {status} of calls) counts.set(status, (counts.get(status) ?? 0) + 1);
	return [...counts]
		.toSorted(([one], [other]) => one - other)
		.map(([status, times]) => `${times} × ${status}`)
		.join(', ');
}
