import {expect} from 'vitest';
import {readClient} from '../../src/oauth/client.ts';
import benchmark from '../bench/result.json' with {type: 'json'};
import {bundle, ownRows, peerRows} from '../bench/sizes.ts';
import memory from '../bench/memory.json' with {type: 'json'};
import chaos from '../chaos/result.json' with {type: 'json'};
import {faults} from '../faults/faults.ts';

/** Whether a number, as it is stated, is the measured one. */
type Check = (stated: number) => void | Promise<void>;

/** A sentence of the README, or of the page for contributors, with numbers in it. */
export interface Claim {
	/** Each group is one number: in digits, or in words that `toNumber` knows. */
	readonly pattern: RegExp;
	/** One for each group. */
	readonly checks: readonly Check[];
}

/** A size, rounded up to a tenth, and by one more at most. It is measured anew. */
function kilobytes(name: string): Check {
	return async stated => {
		const row = [...ownRows, ...peerRows].find(row => row.name === name);
		if (!row) throw new Error(`Nothing of the name ${name} is measured`);
		const {bytes} = await bundle(row);
		expect(stated * 1000).toBeGreaterThanOrEqual(bytes);
		expect(stated * 1000 - bytes).toBeLessThan(200);
	};
}

/** The number itself, or where it has more digits than are stated, rounded to these. */
function number(measured: number | undefined, digits = 0): Check {
	return stated => expect(stated.toFixed(digits)).toBe(measured?.toFixed(digits));
}

/** What the README compares, in the order of its columns. */
const compared = [
	'the same and ky',
	'ky',
	'@badgateway/oauth2-client: OAuth2Client, OAuth2Fetch',
	'axios and axios-auth-refresh',
	'@auth0/auth0-spa-js: Auth0Client',
	'oidc-client-ts: UserManager',
	'oauth4webapi: both grants, no session and no retry',
];

const defaults = readClient({tokenEndpoint: 'https://login.example.com/token', clientId: 'app'});

const [crowd, recipe] = ['regrant', "ky, its readme's recipe"].map(name =>
	benchmark.loads.find(load => load.name === name),
);

const cost = benchmark.calls.get.ratios;

/** What was held in one of the scenarios, in MB: by regrant, and by how much more than ky. */
function held(scenario: string): {readonly done: number; readonly more: number} {
	const [ky, regrant] = ['ky', 'regrant'].map(name =>
		memory.rows.find(row => row.scenario === scenario && row.contender === name),
	);
	if (!ky || !regrant) throw new Error(`Nothing is kept of ${scenario}`);
	return {done: regrant.done, more: Math.max(regrant.peak - ky.peak, regrant.settled - ky.settled)};
}

const more = memory.rows.map(({scenario}) => held(scenario).more);

/**
The numbers of both pages, and where they come from. What `npm run bench` has measured is kept in `test/bench/result.json`; what other
runs keep is imported in the same way. A new sentence gets a row here.
*/
export const claims: readonly Claim[] = [
	{
		pattern: /([\w ]+) calls at once on an expired token make (\w+) grant/,
		checks: [number(crowd?.answered), number(crowd?.grants)],
	},
	{pattern: /By the recipe of ky's readme, they make ([\d,]+) grants/, checks: [number(recipe?.grants)]},
	{
		pattern: /made ([\d,]+) refreshes, and (no) session was lost/,
		checks: [number(chaos.refreshes), number(chaos.sessionsLost)],
	},
	{pattern: /The (\d+) faults/, checks: [number(faults.length)]},
	{
		pattern: /costs ([\d.]+) × a bare one of ky. By the recipe of ky's readme, it costs ([\d.]+) ×/,
		checks: [number(cost.regrant, 2), number(cost["ky, its readme's recipe"], 2)],
	},
	{pattern: /`leeway` [^|]*\|[^|]*\| (\d+) \|/, checks: [number(30)]},
	{pattern: /`timeout` [^|]*\|[^|]*\| ([\d,]+) \|/, checks: [number(defaults.timeout)]},
	{pattern: /([\d.]+) kB, and no session/, checks: [kilobytes('endpoint alone')]},
	// The row of the comparison, in the order of its columns.
	{
		pattern: new RegExp(`kB in a bundle[^|]*${compared.map(() => ' \\| ([\\d.]+)').join('')} \\|`),
		checks: compared.map(kilobytes),
	},
	{
		pattern: /([\d.]+) kB of its own to a bundle with `createAuth`, and ([\d.]+) kB with `createSession`/,
		checks: [
			kilobytes('createAuth, hooks, memoryStore: own code'),
			kilobytes('createSession, hooks, memoryStore: own code'),
		],
	},
	{pattern: /With ky, that is ([\d.]+) kB/, checks: [kilobytes('the same and ky')]},
	{
		pattern:
			/In ([\d,]+) renewals, ([\d,]+) abandoned calls and (\d+) MB each way, a process holds no more than (\d+) MB more/,
		checks: [
			number(held('auth retries').done),
			number(held('abandoned calls').done),
			number(Math.min(held('download').done, held('upload').done) / 1e6),
			mostMore => expect(mostMore).toBeGreaterThanOrEqual(Math.max(...more)),
		],
	},
	// From here on: the page for contributors.
];

const words: Readonly<Record<string, number>> = {no: 0, none: 0, one: 1, two: 2, three: 3, 'a thousand': 1000};

/** Reads `1,000`, `1.12` and `A thousand`. */
export function toNumber(text: string): number {
	return words[text.trim().toLowerCase()] ?? Number(text.replaceAll(',', ''));
}

/** What is measured wherever it stands: with a unit, with a thousands separator, or as what is counted. */
export const measuredNumber =
	/(?<![\d.,-])(?:\d{1,3}(?:,\d{3})+|\d[\d.]*(?= ?(?:kB|MB|B|×|%|µs|ms|grants?|calls|refreshes|sessions|mutants?)(?!\w)))|× ?\d(?:[\d.,]*\d)?/g;
