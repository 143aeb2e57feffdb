import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type BrowserContext, chromium, type Page} from 'playwright';
import {chromiumOptions} from './chromium.ts';
import {serveTabPage} from './tab-page.ts';

/** Tabs of one profile in a real Chromium. Each has the package as the global `regrant`. */
export interface Tabs {
	readonly origin: string;
	/** Opens another tab in the same profile. Pass `insecureOrigin` for a page without https. */
	open(origin?: string): Promise<Page>;
	/** The same page at an origin that is no secure context. */
	readonly insecureOrigin: string;
	readonly context: BrowserContext;
	close(): Promise<void>;
}

/** Starts the browser and serves the page. */
export async function openTabs(): Promise<Tabs> {
	const page = await serveTabPage();
	// The profile is on disk, because Chromium lets a test set the quota only there.
	const profile = mkdtempSync(join(tmpdir(), 'regrant-browser-'));
	const context = await chromium.launchPersistentContext(profile, {
		...chromiumOptions(['--host-resolver-rules=MAP insecure.example 127.0.0.1']),
		ignoreDefaultArgs: ['--disable-back-forward-cache'],
	});
	const insecureOrigin = page.origin.replace('127.0.0.1', 'insecure.example');
	return {
		origin: page.origin,
		insecureOrigin,
		context,
		async open(origin = page.origin) {
			const tab = await context.newPage();
			await tab.goto(`${origin}/`);
			return tab;
		},
		async close() {
			await context.close();
			await page.close();
			rmSync(profile, {recursive: true, force: true, maxRetries: 10, retryDelay: 100});
		},
	};
}
