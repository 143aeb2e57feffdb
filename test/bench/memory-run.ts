// `npm run bench:memory`: how much memory regrant needs, compared with bare ky for the same requests. The result is stored in memory.json,
// and the README's numbers come from there.
import {writeFileSync} from 'node:fs';
import {measureMemory, type MemoryEffort, type MemoryResult} from './memory.ts';
import {printTable} from './table.ts';
import {readVersions} from './versions.ts';

const effort: MemoryEffort = {
	'auth retries': {amount: 10_000, rounds: 3},
	'abandoned calls': {amount: 1_000, rounds: 5},
	// When the collector frees a stream is a matter of luck.
	download: {amount: 500e6, rounds: 25},
	upload: {amount: 500e6, rounds: 25},
};

const result: MemoryResult = {versions: readVersions(['regrant', 'ky']), rows: await measureMemory(effort)};
printTable(
	`Resident memory of a process, beside bare ky that makes the same requests (medians; ${JSON.stringify(result.versions)})`,
	['', '', 'done', 'peak, MB', 'after gc, MB', 's', 'time'],
	result.rows.map(({scenario, contender, done, peak, settled, milliseconds, ratio}) => [
		scenario,
		contender,
		String(done),
		peak.toFixed(1),
		settled.toFixed(1),
		(milliseconds / 1000).toFixed(2),
		ratio.toFixed(2),
	]),
);
writeFileSync(new URL('memory.json', import.meta.url), `${JSON.stringify(result, undefined, '\t')}\n`);
console.log('\nkept in test/bench/memory.json');
