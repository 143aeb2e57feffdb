import {build} from 'esbuild';
import type {BrowserContext, Page} from 'playwright';
import {launchChromium} from './chromium.ts';
import {serve} from './serve.ts';

/** Tabs of one profile in a real Chromium, each with the package as the global `regrant`. */
export interface Tabs {
	readonly origin: string;
	/** One more tab, of the same profile. A page without https has an address that is not of loopback. */
	open(origin?: string): Promise<Page>;
	/** The same page by a name that is no secure context. */
	readonly insecureOrigin: string;
	readonly context: BrowserContext;
	close(): Promise<void>;
}

/** Starts the browser and serves the page. */
export async function openTabs(): Promise<Tabs> {
	const {outputFiles} = await build({
		entryPoints: ['test/support/tab.ts'],
		bundle: true,
		format: 'iife',
		globalName: 'regrant',
		target: 'es2022',
		write: false,
	});
	const code = outputFiles[0]?.text ?? '';
	const served = await serve((_request, {path}) =>
		path === '/regrant.js'
			? {headers: [['content-type', 'text/javascript']], body: code}
			: {
					headers: [
						['content-type', 'text/html'],
						['cache-control', 'max-age=60'],
					],
					body: '<!doctype html><title>tab</title><script src="/regrant.js"></script>',
				},
	);
	const browser = await launchChromium([
		'--host-resolver-rules=MAP insecure.example 127.0.0.1',
		// Else the back/forward cache is off when a browser is driven.
		'--enable-features=BackForwardCache',
	]);
	const context = await browser.newContext();
	const insecureOrigin = served.origin.replace('127.0.0.1', 'insecure.example');
	return {
		origin: served.origin,
		insecureOrigin,
		context,
		async open(origin = served.origin) {
			const tab = await context.newPage();
			await tab.goto(`${origin}/`);
			return tab;
		},
		async close() {
			await browser.close();
			await served.close();
		},
	};
}
