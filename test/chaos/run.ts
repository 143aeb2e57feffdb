// `npm run chaos`: renews sessions again and again while everything around them fails. It fails if a session is lost without an excuse. The
// result of a full run is stored in result.json, and the README's number comes from there. For a small run: `npm run chaos -- --seed 7
// --refreshes 2000`. The seed decides which faults are injected. Their timing depends on the machine.
import {writeFileSync} from 'node:fs';
import process from 'node:process';
import {parseArgs} from 'node:util';
import {readVersions} from '../bench/versions.ts';
import {addTo, type Counts, list} from './counts.ts';
import {runRealms} from './realms.ts';
import type {Act, ActResult, ChaosResult} from './result.ts';
import {runSchedules} from './schedules.ts';
import {findGrowth} from './vitals.ts';

/** The runs whose holders are separate processes, tabs or isolates. */
const acts: Readonly<Record<string, () => Promise<{readonly run: Act}>>> = {
	web: async () => import('./web.ts'),
	redis: async () => import('./redis.ts'),
	'deno-kv': async () => import('./deno-kv.ts'),
	file: async () => import('./file.ts'),
	cloudflare: async () => import('./cloudflare.ts'),
};
const packages = ['regrant', 'ky', 'oidc-provider', 'redis', 'ioredis', 'playwright', 'deno', 'miniflare'];
const full = 100_000;
const everySchedule = 20_000;
const longest = 3 * 3_600;

const {values} = parseArgs({
	options: {
		seed: {type: 'string', default: String(Math.floor(Math.random() * 2 ** 31))},
		/** The number of refreshes in total. */
		refreshes: {type: 'string', default: String(full)},
		/** The seconds for each store whose holders are outside of this process. 0 skips these stores. */
		seconds: {type: 'string', default: '60'},
		/** The number of schedules of each theme. 0 skips the schedules. */
		schedules: {type: 'string', default: String(everySchedule)},
		/** Also runs each store without its lock, for comparison. Those runs lose sessions. */
		compare: {type: 'boolean', default: false},
	},
});
const [seed, refreshes, seconds, schedules] = [values.seed, values.refreshes, values.seconds, values.schedules].map(
	Number,
) as [number, number, number, number];

function print({name, holders, callers, ...result}: ActResult): void {
	const {waitInLock} = result;
	console.log(
		`\n${name}: ${holders} holders, ${Number(callers.toFixed(1))} callers each, ${result.seconds.toFixed(0)} s`,
	);
	console.log(`  refreshes      ${result.refreshes}, ${(result.refreshes / result.seconds).toFixed(1)} a second`);
	console.log(`  token requests ${result.grants}, ${result.grantsPerRefresh.toFixed(2)} a refresh`);
	if (waitInLock)
		console.log(`  wait in lock   ${waitInLock.median.toFixed(0)} ms, at most ${waitInLock.max.toFixed(0)}`);
	console.log(`  calls          ${result.calls}: ${list(result.outcomes)}`);
	console.log(`  faults         ${list(result.faults)}`);
	console.log(`  sessions lost  ${result.sessionsLost}; excused or not: ${list(result.why)}`);
	if (Object.keys(result.complaints).length > 0) console.log(`  COMPLAINTS     ${list(result.complaints)}`);
	for (const {heap, resident, handles} of result.vitals ?? [])
		console.log(`  at rest        heap ${heap} MB, resident ${resident} MB, ${list(handles)}`);
}

console.log(`seed ${seed}, ${schedules} schedules of each theme, at least ${refreshes} refreshes`);
const played =
	schedules > 0
		? await runSchedules(schedules, seed, ({theme, schedules: count, wrong}) =>
				console.log(`  ${count} schedules of ${theme}: ${wrong ?? 'nothing went wrong'}`),
			)
		: [];
const isWrong = played.some(({wrong}) => wrong !== undefined);
if (schedules >= everySchedule && !isWrong) {
	const kept = {seed, versions: readVersions(['regrant', 'ky', 'fast-check']), themes: played};
	writeFileSync(new URL('schedules.json', import.meta.url), `${JSON.stringify(kept, undefined, '\t')}\n`);
	console.log('kept in test/chaos/schedules.json');
}
const results: ActResult[] = [];
const done = (): number => results.reduce((sum, result) => sum + result.refreshes, 0);
if (seconds > 0) {
	for (const load of Object.values(acts)) {
		const {run} = await load();
		const result = await run({seconds, seed});
		print(result);
		results.push(result);
		if (values.compare) print(await run({seconds, seed, isUnlocked: true}));
	}
}
if (done() < refreshes) {
	const log = (line: string): void => console.log(`  ${line}`);
	const result = await runRealms({refreshes: refreshes - done(), seconds: longest, seed, log});
	print(result);
	results.push(result);
}

const why: Counts = {};
for (const result of results) addTo(why, result.why);
const sum = (number: (result: ActResult) => number): number =>
	results.reduce((total, result) => total + number(result), 0);
const result: ChaosResult = {
	seed,
	versions: readVersions(packages),
	refreshes: done(),
	calls: sum(({calls}) => calls),
	why,
	sessionsLost: sum(({sessionsLost}) => sessionsLost),
	acts: results,
};
const growth = results.flatMap(({vitals: [first, ...others] = []}) => {
	const last = others.at(-1);
	return first && last ? findGrowth(first, last) : [];
});
const complaints = [
	...(isWrong ? ['a schedule went wrong'] : []),
	...results.flatMap(({complaints}) => Object.keys(complaints)),
	...growth,
];
console.log(
	`\n${result.refreshes} refreshes, ${result.calls} calls, ${result.sessionsLost} sessions lost that should not have been`,
);
console.log(`lost with an excuse: ${list(why)}`);
if (result.sessionsLost > 0 || complaints.length > 0 || result.refreshes < refreshes) {
	console.error(`\nNot in order: ${[...complaints, `${result.sessionsLost} sessions lost`].join('; ')}`);
	process.exitCode = 1;
} else if (refreshes >= full && seconds > 0) {
	writeFileSync(new URL('result.json', import.meta.url), `${JSON.stringify(result, undefined, '\t')}\n`);
	console.log('kept in test/chaos/result.json');
}
