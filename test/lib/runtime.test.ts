import {describe, expect} from 'vitest';
import {dropsAuthorization, isBrowser} from '../../src/lib/runtime.ts';
import {test} from '../support/test.ts';

const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const worker = {WorkerGlobalScope: () => {}, WorkerLocation: () => {}};

// The globals of each runtime that could mislead the detection.
describe.for<
	readonly [
		place: string,
		realm: NonNullable<Parameters<typeof isBrowser>[0]> & Record<string, unknown>,
		expected: {readonly browser: boolean; readonly drops: boolean},
	]
>([
	['a page', {document: {}, navigator: {userAgent: chrome}}, {browser: true, drops: true}],
	[
		'a page with Node in it, as Electron has it',
		{document: {}, navigator: {userAgent: chrome}, process: {}},
		{browser: true, drops: true},
	],
	[
		'a worker of a browser',
		{...worker, importScripts() {}, navigator: {userAgent: chrome}},
		{browser: true, drops: true},
	],
	['Node 24', {navigator: {userAgent: 'Node.js/24'}, process: {}}, {browser: false, drops: true}],
	['Deno', {navigator: {userAgent: 'Deno/2.9.6'}}, {browser: false, drops: true}],
	['a worker of Deno', {...worker, navigator: {userAgent: 'Deno/2.9.6'}}, {browser: false, drops: true}],
	['Bun', {navigator: {userAgent: 'Bun/1.4.5'}}, {browser: false, drops: true}],
	['workerd at 2021-11-02', {WorkerGlobalScope: () => {}, importScripts() {}}, {browser: false, drops: false}],
	[
		'workerd at 2024-01-01',
		{WorkerGlobalScope: () => {}, importScripts() {}, navigator: {userAgent: 'Cloudflare-Workers'}},
		{browser: false, drops: false},
	],
	[
		'workerd that plays Node',
		{WorkerGlobalScope: () => {}, navigator: {userAgent: 'Cloudflare-Workers'}, process: {versions: {node: '22.0.0'}}},
		{browser: false, drops: false},
	],
	[
		'workerd with a document of its own [F-145]',
		Object.assign(Object.create({WebSocketPair: () => {}}) as object, {
			WorkerGlobalScope: () => {},
			document: {},
			navigator: {userAgent: 'Cloudflare-Workers'},
		}),
		{browser: false, drops: false},
	],
	[
		'Deno 2.1, which carries Authorization along [F-146]',
		{navigator: {userAgent: 'Deno/2.1.14'}},
		{browser: false, drops: false},
	],
	['Deno 1 [F-146]', {navigator: {userAgent: 'Deno/1.46.3'}}, {browser: false, drops: false}],
	['Deno 2.2 [F-146]', {navigator: {userAgent: 'Deno/2.2.0'}}, {browser: false, drops: true}],
	['Deno 10 [F-146]', {navigator: {userAgent: 'Deno/10.0.0'}}, {browser: false, drops: true}],
	...(['14.12.3', '20.14.0'] as const).map(
		version =>
			[
				`happy-dom ${version}, which carries Authorization along [F-146]`,
				{
					document: {},
					navigator: {
						userAgent: `Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) HappyDOM/${version}`,
					},
				},
				{browser: true, drops: false},
			] as const,
	),
	[
		'happy-dom 21 [F-146]',
		{
			document: {},
			navigator: {userAgent: 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) HappyDOM/21.0.4'},
		},
		{browser: true, drops: true},
	],
	['a runtime that nobody knows', {}, {browser: false, drops: false}],
])('%s', ([, realm, {browser, drops}]) => {
	test(`is ${browser ? '' : 'not '}a place where everybody can read a secret [R13]`, () => {
		expect(isBrowser(realm)).toBe(browser);
	});

	test(`${drops ? 'drops' : 'is not known to drop'} the token on a redirect to another origin [R42]`, () => {
		expect(dropsAuthorization(realm)).toBe(drops);
	});
});
