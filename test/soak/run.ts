// npm run soak: the crowds of all stores one after the other, side by side with none to keep them apart.
import type {Soak, SoakResult} from './result.ts';

const crowds: Readonly<Record<string, () => Promise<{readonly run: Soak}>>> = {
	web: async () => import('./web.ts'),
	redis: async () => import('./redis.ts'),
	'deno-kv': async () => import('./deno-kv.ts'),
	cloudflare: async () => import('./cloudflare.ts'),
};

const [seconds = 20, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);

const row = ({store, holders, callers, expiries, grants, ...result}: SoakResult): string =>
	[
		store,
		`${holders} × ${callers}`,
		expiries,
		grants,
		result.grantsPerExpiry.toFixed(2),
		result.refreshesPerSecond.toFixed(1),
		`${result.waitInLock.median.toFixed(0)} / ${result.waitInLock.max.toFixed(0)}`,
		result.sessionsLost,
		Object.entries(result.why)
			.map(([why, count]) => `${count} ${why}`)
			.join(', ') || '–',
	].join(' | ');

console.log(`${seconds} s for each row, seed ${seed}\n`);
console.log(
	'store | holders × callers | expiries | grants | grants per expiry | refreshes/s | wait, ms (median / max) | sessions lost | why',
);
console.log('--- | --- | --- | --- | --- | --- | --- | --- | ---');
let unexpected = 0;
for (const load of Object.values(crowds)) {
	const {run} = await load();
	for (const isUnlocked of [false, true]) {
		const result = await run({seconds, seed, isUnlocked});
		console.log(row(result));
		if (!isUnlocked) unexpected += result.sessionsLost;
	}
}
if (unexpected > 0) {
	console.error(`\n${unexpected} sessions were lost that should not have been.`);
	process.exitCode = 1;
}
