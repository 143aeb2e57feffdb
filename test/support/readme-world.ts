// What the README's examples take for granted, for `node --import`: names that a reader has, and hosts that do not exist.
import ky from 'ky';
import * as v from 'valibot';

/** Where the README's hosts are in truth. The first prefix that fits counts. */
const hosts = JSON.parse(process.env['README_HOSTS'] ?? '[]') as ReadonlyArray<
	readonly [prefix: string, target: string]
>;
const names = JSON.parse(process.env['README_NAMES'] ?? '{}') as object;

const items = new Map<string, string>();

Object.assign(globalThis, names, {
	// Of a page, which this is not.
	localStorage: {
		getItem: (key: string) => items.get(key) ?? null,
		setItem: (key: string, text: string) => void items.set(key, text),
		removeItem: (key: string) => void items.delete(key),
	},
	Account: v.object({accountID: v.string()}),
	accountID: 'a',
	api: ky.extend({baseUrl: 'https://api.example.com', retry: 0}),
	showLogin() {},
});

const platformFetch = globalThis.fetch;

globalThis.fetch = async (input, init) => {
	const request = new Request(input, init);
	const [prefix, target] = hosts.find(([prefix]) => request.url.startsWith(prefix)) ?? [];
	if (prefix === undefined) throw new Error(`The README's world has no ${request.url}`);
	// Of an endpoint that the test's API does not have.
	if (request.url.endsWith('/accounts/a/transfers')) return Response.json({transferID: 't'});
	const there = new Request(target + request.url.slice(prefix.length), request);
	const response = await platformFetch(there);
	// The test's API answers everything with one record; that of the example lists accounts.
	const isList = response.ok && request.method === 'GET' && request.url.endsWith('/accounts');
	return isList ? Response.json([{accountID: 'a'}]) : response;
};
