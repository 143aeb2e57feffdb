import {describe, expect} from 'vitest';
import {dropsAuthorization, isBrowser} from '../../src/lib/runtime.ts';
import {test} from '../support/test.ts';

const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const worker = {WorkerGlobalScope: () => {}, WorkerLocation: () => {}};

// What these runtimes have as globals, as far as it could mislead.
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
	['a runtime that nobody knows', {}, {browser: false, drops: false}],
])('%s', ([, realm, {browser, drops}]) => {
	test(`R13: is ${browser ? '' : 'not '}a place where everybody can read a secret`, () => {
		expect(isBrowser(realm)).toBe(browser);
	});

	test(`R42: ${drops ? 'drops' : 'is not known to drop'} the token on a redirect to another origin`, () => {
		expect(dropsAuthorization(realm)).toBe(drops);
	});
});
