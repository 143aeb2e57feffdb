// Finds out which server gets a token, for URLs and redirects that different parsers may read differently. Only one of two servers may get
// it.
import ky, {type KyInstance} from 'ky';
import {type Auth, createAuth, type Origins} from 'regrant';
import type {Traits} from './run.ts';

/** The origins of the two servers. `/go?chain=…` redirects along the chain. Everything else is answered with 200. */
export interface Servers {
	/** The server that may get the token. */
	readonly listed: string;
	/** The server that must not get it. */
	readonly unlisted: string;
}

/** One redirect: its status and its target. */
export type Hop = readonly [status: number, location: string];

/** One attempt: how the URL is passed to regrant, the URL, and how `origins` is given. */
export interface Trip {
	readonly way: keyof typeof ways;
	readonly url: string;
	readonly origins: 'list' | 'function';
}

/** The number of attempts that were answered, and of those that the platform refused. */
export interface Journey {
	readonly answered: number;
	readonly refused: number;
}

/** Creates a generator of numbers from 0 to 1 (mulberry32). The same seed gives the same numbers. */
function createRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let value = Math.imul(state ^ (state >>> 15), 1 | state);
		value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
		return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
	};
}

const schemes = [
	...String.raw`HTTP:// http:/ http: http:/// http://// http:\\ http:/\ http:\/ // \\ /\ \/ /// ws:// ftp:// https:// blob:http://`.split(
		' ',
	),
	'',
	' http://',
	'\thttp://',
	'ht\ntp://',
	'http:\t//',
	'http:/\r/',
	'\0http://',
	'\u00a0http://',
];

const separators = [
	...String.raw`@ \@ \\@ %5c@ %5C%5C@ /@ ?@ #@ :@ :80@ ;@ ,@ @@ %40 %2f@ %00@ \ \\ /\ . \. /..// /.\ /%2e%2e// &@ '@ "@ |@ ^@ [@ ]@ <@`.split(
		' ',
	),
	' @',
	'\t@',
	'\n@',
	'\r\n@',
];

const tails = ['/go', '/go', '/go', '\\go', '/./go', '/a/../go', '/%2e/go', '//go', '/\tgo', '/go/'];

/** The names by which a server on loopback can be reached. Most of them are other origins than the server's own. */
function namesOf(origin: string): string[] {
	const {host, port} = new URL(origin);
	const others =
		'127.0.0.1. 127.1 2130706433 0x7f000001 0177.0.0.1 localhost LOCALHOST １２７.0.0.1 127。0。0。1 127%2e0.0.1'.split(
			' ',
		);
	return [host, host, host, ...others.map(name => `${name}:${port}`), `127.0.0.1:0${port}`, `127.0.0.1:\t${port}`];
}

/** Creates a generator of URLs. With `isHeader`, it leaves out characters that no header can contain. */
function createTexts({listed, unlisted}: Servers, random: () => number): (isHeader: boolean) => string {
	const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T; // no list is empty
	const hosts = [...namesOf(listed), ...namesOf(unlisted)];
	const credentials = ['a@', 'a:b@', 'a%40@', `${new URL(listed).host}@`, '@'];
	/** Picks the usual text in most cases, so that many URLs lead somewhere. */
	const mostly = (usual: string, others: readonly string[]): string => (random() < 0.75 ? usual : pick(others));
	/** A URL that leads to the listed host by one parser, and to the other host by another parser. */
	const ambiguous = (): string =>
		`http://${new URL(listed).host}${pick(['\\@', '\\\\@', '\\a@', '\\:@', '\\', '%5c@', '\t\\@'])}${new URL(unlisted).host}`;
	const written = (): string => {
		if (random() < 0.2) return ambiguous();
		const start = mostly('http://', schemes) + mostly('', credentials) + pick(hosts);
		const middle = mostly('', separators);
		return start + (middle && middle + pick(hosts));
	};
	return isHeader => {
		const text = written() + pick(tails);
		// oxlint-disable-next-line no-control-regex -- control characters are among those to leave out
		return isHeader ? text.replaceAll(/[^!-~]/g, '') : text;
	};
}

/**
Creates this number of attempts. The same seed gives the same attempts.

@param traits What the runtime does wrong by itself, without regrant. Such attempts are left out.
*/
export function createTrips(
	servers: Servers,
	seed: number,
	count: number,
	{restoresAuthorization, failsAtCredentials}: Pick<Traits, 'restoresAuthorization' | 'failsAtCredentials'> = {},
): Trip[] {
	const random = createRandom(seed);
	const text = createTexts(servers, random);
	const names = Object.keys(ways) as Array<keyof typeof ways>;
	return Array.from({length: count}, (_, index) => {
		const hops: Hop[] = [];
		// The first request goes to the listed server, so that it carries a token when it is redirected.
		const isPlain = random() < 0.5;
		if (isPlain)
			for (let hop = 0; hop < (restoresAuthorization ? 1 : 1 + random() * 3); hop++) {
				const location = text(true);
				const isLeftOut = failsAtCredentials && location.includes('@');
				if (!isLeftOut) hops.push([[301, 302, 303, 307, 308][Math.floor(random() * 5)] ?? 302, location]);
			}
		const start = isPlain ? `${servers.listed}/go` : text(false);
		const query = hops.length > 0 ? `?chain=${encodeURIComponent(JSON.stringify(hops))}` : '';
		return {
			way: names[index % names.length] ?? 'fetch',
			url: start + query,
			origins: random() < 0.5 ? 'list' : 'function',
		};
	});
}

/** Returns the answer of a server: the next redirect of the chain, or 200. */
export function answerTrip(url: string): {readonly status: number; readonly location?: string} {
	const chain = /[?&]chain=([^&#]*)/.exec(url)?.[1];
	const [hop, ...rest] = JSON.parse(chain ? decodeURIComponent(chain) : '[]') as Hop[]; // written by createTrips
	if (!hop) return {status: 200};
	const [status, location] = hop;
	return {status, location: `${location}?chain=${encodeURIComponent(JSON.stringify(rest))}`};
}

interface Traveller {
	readonly auth: Auth;
	readonly api: KyInstance;
	readonly servers: Servers;
}

/** The ways to pass a URL to regrant. */
const ways = {
	fetch: ({auth}: Traveller, url: string) => auth.fetch(url),
	'fetch of a Request': ({auth}: Traveller, url: string) => auth.fetch(new Request(url)),
	'fetch of a URL': ({auth, servers}: Traveller, url: string) => auth.fetch(new URL(url, servers.listed)),
	'fetch of a POST': ({auth}: Traveller, url: string) => auth.fetch(url, {method: 'POST', body: 'posted'}),
	ky: async ({api}: Traveller, url: string) => api(url),
	'ky with baseUrl': async ({api, servers}: Traveller, url: string) => api(url, {baseUrl: servers.listed}),
	'ky with prefix': async ({api, servers}: Traveller, url: string) => api(url, {prefix: servers.listed}),
	'ky, a hook of whose puts another request in place': async ({api, servers}: Traveller, url: string) =>
		api(servers.listed, {hooks: {beforeRequest: [() => new Request(url)]}}),
} as const;

/** Makes the attempts. The servers record where the tokens went. */
export async function travel(servers: Servers, accessToken: string, trips: readonly Trip[]): Promise<Journey> {
	const travellerOf = async (origins: Origins): Promise<Traveller> => {
		const auth = createAuth({tokenEndpoint: `${servers.listed}/token`, clientId: 'app', origins});
		await auth.setToken({access_token: accessToken});
		return {auth, api: ky.extend({hooks: auth.hooks, retry: 0, throwHttpErrors: false}), servers};
	};
	const travellers = {
		list: await travellerOf([servers.listed]),
		function: await travellerOf(({origin}) => origin === servers.listed),
	};
	let answered = 0;
	let refused = 0;
	const make = async ({way, url, origins}: Trip): Promise<void> => {
		try {
			const response = await ways[way](travellers[origins], url);
			await response.body?.cancel();
			answered++;
		} catch {
			refused++;
		}
	};
	for (let index = 0; index < trips.length; index += 10) await Promise.all(trips.slice(index, index + 10).map(make));
	return {answered, refused};
}
