// `npm run bench`: what regrant costs, beside its neighbours, in one run. Nothing is asserted here, and no time in a test.
import {measureCalls} from './call.ts';
import {measureLoad} from './load.ts';
import {bundle, ownRows, peerRows, toKilobytes} from './sizes.ts';
import {printTable} from './table.ts';
import {measureTypeCheck} from './type-check.ts';
import {readVersions} from './versions.ts';

const packages = ['ky', 'valibot', '@badgateway/oauth2-client', 'oauth4webapi', 'esbuild'];
const callEffort = {rounds: 100, seconds: 10, calls: 100};
const typeCheckEffort = {definitions: 100, rounds: 3};
const loadEffort = {rounds: 9, seconds: 20, calls: 1000};

async function printCalls(): Promise<void> {
	const [get, post] = [await measureCalls('get', callEffort), await measureCalls('post', callEffort)];
	printTable(
		`One call with a valid token, mock fetch, × ky (median of ${get.rounds} and ${post.rounds} paired rounds of ${callEffort.calls} calls)`,
		['', 'GET', 'POST JSON'],
		Object.keys(get.ratios).map(name => [name, times(get.ratios[name]), times(post.ratios[name])]),
	);
	console.log(`  (1.00 was ${get.microseconds.toFixed(0)} µs and ${post.microseconds.toFixed(0)} µs)`);
}

async function printLoad(): Promise<void> {
	const loads = await measureLoad(loadEffort);
	printTable(
		`${loadEffort.calls} calls at once on an expired token, loopback, × ky (median of ${loads[0]?.rounds} paired rounds)`,
		['', 'grants', 'requests', 'answered', 'ms', 'time'],
		loads.map(({name, grants, calls, answered, milliseconds, ratio}) => [
			name,
			String(grants),
			String(calls),
			String(answered),
			milliseconds.toFixed(0),
			times(ratio),
		]),
	);
}

async function printSizes(): Promise<void> {
	const rows: string[][] = [];
	for (const row of [...ownRows, ...peerRows]) {
		const {bytes} = await bundle(row);
		rows.push([
			row.name,
			String(bytes),
			toKilobytes(bytes).toFixed(1),
			row.limit === undefined ? '' : String(row.limit),
		]);
	}
	printTable('Size of a bundle, minified, gzip -9', ['', 'bytes', 'kB', 'limit'], rows);
}

async function printTypeCheck(): Promise<void> {
	const {definitions, rounds} = typeCheckEffort;
	const checks = await measureTypeCheck(definitions, rounds);
	const byHand = checks.find(({name}) => name.startsWith('ky'))?.milliseconds ?? 0;
	printTable(
		`Type-check of ${definitions} endpoints and a call of each, with the compiler's start, × ky (median of ${rounds} rounds)`,
		['', 'complaints', 'ms', 'time'],
		checks.map(({name, complaints, milliseconds}) => [
			name,
			String(complaints),
			milliseconds.toFixed(0),
			times(milliseconds / byHand),
		]),
	);
}

function times(ratio = 0): string {
	return ratio.toFixed(2);
}

const versions = Object.entries(readVersions(packages));
console.log(versions.map(([name, version]) => `${name} ${version}`).join(', '));
await printSizes();
await printTypeCheck();
await printCalls();
await printLoad();
