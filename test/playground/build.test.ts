import {globSync, readFileSync} from 'node:fs';
import {describe, expect, test as plain} from 'vitest';
import {buildPage, judge, limits} from '../../playground/build.ts';
import manifest from '../../package.json' with {type: 'json'};
import {callsOf, grantsOf, holdRefreshes, test as base} from '../support/playground.ts';

const {files, sizes} = await buildPage();
const test = base.override('pageOptions', {files});

describe('the production build of the playground', () => {
	plain('has all its parts, and none is larger than its limit', () => {
		expect(judge(sizes).faults).toEqual([]);
		// The page uses no schemas, so valibot must not be in the bundle.
		expect(Object.entries(sizes).filter(([, size]) => size === 0)).toEqual([['valibot', 0]]);
	});

	plain('is printed by part, and a sentence names what has grown too large', () => {
		expect(judge({ky: 8_000, valibot: 1_540, regrant: 99_999, page: 1_000})).toEqual({
			lines: ['ky         8.0 kB', 'valibot    1.5 kB', 'regrant  100.0 kB', 'page       1.0 kB', 'together 110.5 kB'],
			faults: [`regrant has grown to 99999 bytes, where ${limits.regrant} are allowed.`],
		});
	});

	test(
		'the production build of the playground does what the page does from its sources',
		{timeout: 180_000},
		async ({playground}) => {
			const {tab, server, click, summary, play} = playground;
			expect(await tab.locator('script').getAttribute('src')).toMatch(/^\/assets\/.*\.js$/);
			expect((await play('two-tabs')).verdict).toBe('1 refresh · 40 calls answered · Ann is still signed in');
			server.reset();
			await click('sign-in');
			await click('expire');
			holdRefreshes(server, 40);
			expect(await click('send-40')).toBe('40 sent: 40 answered 200');
			expect([grantsOf(server), callsOf(server)]).toEqual([[200], '40 × 200, 40 × 401']);
			await summary('here', '1 token request 40 answered, 40 retried after a 401');
		},
	);
});

describe('the playground', () => {
	const names = Object.keys(manifest.exports).map(entry => entry.replace('.', manifest.name));
	const sources = globSync('playground/**/*.ts').map(file => ({
		file: file.replaceAll('\\', '/'),
		specifiers: [
			...readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'|^import '([^']+)'/gm),
		].map(([, specifier = '', bare = '']) => specifier || bare),
	}));

	plain('uses the package by its public names alone', () => {
		const used = sources.flatMap(({specifiers}) => specifiers.filter(name => name.split('/')[0] === manifest.name));
		expect(used.filter(name => !names.includes(name))).toEqual([]);
		expect(used).toEqual(expect.arrayContaining(['regrant', 'regrant/web', 'regrant/cloudflare', 'regrant/deno-kv']));
	});

	plain('reaches for nothing outside of it but the servers and runtimes of the tests', () => {
		const outside = sources.flatMap(({file, specifiers}) =>
			specifiers
				.filter(name => name.startsWith('.'))
				.map(name => new URL(name, `file:///${file}`).pathname)
				.filter(path => !path.startsWith('/playground/')),
		);
		expect(outside).toContain('/test/support/authorization-server.ts');
		expect(outside.filter(path => !path.startsWith('/test/support/'))).toEqual([]);
	});
});
