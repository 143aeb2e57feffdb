import {readClient} from '../../src/oauth/client.ts';
import benchmark from '../bench/result.json' with {type: 'json'};
import {bundle, ownRows, peerRows} from '../bench/sizes.ts';
import memory from '../bench/memory.json' with {type: 'json'};
import chaos from '../chaos/result.json' with {type: 'json'};
import {faults} from '../faults/faults.ts';

/** A measured number. */
export interface Measured {
	/** The number as a page should state it. */
	readonly value: number;
	/** Returns true if a page may also state this number. */
	readonly allows?: (stated: number) => boolean;
}

type Measure = () => Measured | Promise<Measured>;

/** A sentence with numbers, in the README or in test/README.md. */
export interface Claim {
	/** Matches the sentence. Each group is one number, in digits or in words that `toNumber` can read. */
	readonly pattern: RegExp;
	/** The measured numbers, one for each group. */
	readonly measures: readonly Measure[];
}

/** Measures a size, rounded up to a tenth of a kB. A page may also state a tenth more. */
function kilobytes(name: string): Measure {
	return async () => {
		const row = [...ownRows, ...peerRows].find(row => row.name === name);
		if (!row) throw new Error(`No size is measured under the name ${name}`);
		const {bytes} = await bundle(row);
		return {
			value: Math.ceil(bytes / 100) / 10,
			allows: stated => stated * 1000 >= bytes && stated * 1000 - bytes < 200,
		};
	};
}

/** Rounds a stored number to this many digits. */
function number(measured = NaN, digits = 0): Measure {
	return () => ({value: Number(measured.toFixed(digits))});
}

/** The packages that the README compares, in the order of its columns. */
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

/** Returns how often a scenario was done with regrant, and how many MB more memory it needed than with ky. */
function held(scenario: string): {readonly done: number; readonly more: number} {
	const [ky, regrant] = ['ky', 'regrant'].map(name =>
		memory.rows.find(row => row.scenario === scenario && row.contender === name),
	);
	if (!ky || !regrant) throw new Error(`No result is stored for ${scenario}`);
	return {done: regrant.done, more: Math.max(regrant.peak - ky.peak, regrant.settled - ky.settled)};
}

const more = memory.rows.map(({scenario}) => held(scenario).more);

/**
The numbers of both pages and where they come from. `npm run bench`, `npm run bench:memory` and `npm run chaos` store their results as JSON.
Sizes are measured here. If you write a new sentence with a number, add a row. If a new result makes a sentence wrong, the test says which
number to write.
*/
export const claims: readonly Claim[] = [
	{
		pattern: /([\w ]+) calls at once on an expired token make (\w+) grant/,
		measures: [number(crowd?.answered), number(crowd?.grants)],
	},
	{pattern: /With the recipe in ky's readme, they make ([\d,]+) grants/, measures: [number(recipe?.grants)]},
	{
		pattern: /made ([\d,]+) refreshes, and (no) session was lost/,
		measures: [number(chaos.refreshes), number(chaos.sessionsLost)],
	},
	{pattern: /The (\d+) faults/, measures: [number(faults.length)]},
	{
		pattern:
			/A call with regrant costs ([\d.]+) × a call with bare ky. A call with the recipe in ky's readme costs ([\d.]+) ×/,
		measures: [number(cost.regrant, 2), number(cost["ky, its readme's recipe"], 2)],
	},
	{pattern: /`leeway` [^|]*\|[^|]*\| (\d+) +\|/, measures: [number(30)]},
	{pattern: /`timeout` [^|]*\|[^|]*\| ([\d,]+) +\|/, measures: [number(defaults.timeout)]},
	{pattern: /([\d.]+) kB, and no session/, measures: [kilobytes('endpoint alone')]},
	// A row of the comparison, in the order of its columns.
	{
		pattern: new RegExp(`kB in a bundle[^|]*${compared.map(() => ' +\\| +([\\d.]+)').join('')} +\\|`),
		measures: compared.map(kilobytes),
	},
	{
		pattern: /regrant itself adds ([\d.]+) kB to a bundle with `createAuth`, and ([\d.]+) kB with `createSession`/,
		measures: [
			kilobytes('createAuth, hooks, memoryStore: own code'),
			kilobytes('createSession, hooks, memoryStore: own code'),
		],
	},
	{
		pattern: /Together with ky, which is compressed with it, that is ([\d.]+) kB/,
		measures: [kilobytes('the same and ky')],
	},
	{
		pattern:
			/In ([\d,]+) renewals, ([\d,]+) abandoned calls and (\d+) MB each way, a process holds no more than (\d+) MB more/,
		measures: [
			number(held('auth retries').done),
			number(held('abandoned calls').done),
			number(Math.min(held('download').done, held('upload').done) / 1e6),
			// The limit in the sentence. The measured numbers must stay below it.
			() => ({value: Math.max(10, Math.ceil(Math.max(...more)))}),
		],
	},
];

const words: Readonly<Record<string, number>> = {no: 0, none: 0, one: 1, two: 2, three: 3, 'a thousand': 1000};

/** Reads `1,000`, `1.12` and `A thousand`. */
export function toNumber(text: string): number {
	return words[text.trim().toLowerCase()] ?? Number(text.replaceAll(',', ''));
}

/** Finds numbers that must have been measured: those with a unit, with a thousands separator, or before something that is counted. */
export const measuredNumber =
	/(?<![\d.,-])(?:\d{1,3}(?:,\d{3})+|\d[\d.]*(?= ?(?:kB|MB|B|×|%|µs|ms|grants?|calls|refreshes|sessions|mutants?)(?!\w)))|× ?\d(?:[\d.,]*\d)?/g;
