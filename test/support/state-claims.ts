// Writes the measured numbers into README.md and test/README.md: run `node test/support/state-claims.ts` after a build, and after new
// results of the benchmarks and the chaos.
import {readFileSync, writeFileSync} from 'node:fs';
import {claims, toNumber} from './claims.ts';

const pages = ['README.md', 'test/README.md'];

for (const page of pages) {
	let text = readFileSync(page, 'utf8');
	for (const {pattern, measures} of claims) {
		const match = new RegExp(pattern, `${pattern.flags}d`).exec(text);
		// From the last one to the first, so that the places before it stay right.
		for (const [index, measure] of [...measures.entries()].toReversed()) {
			const [from, to] = match?.indices?.[index + 1] ?? [];
			if (from === undefined || to === undefined) continue;
			const stated = text.slice(from, to);
			const {value, allows} = await measure();
			if (toNumber(stated) === value || allows?.(toNumber(stated))) continue;
			// Sizes have a digit behind the point, also if it is a zero.
			const digits = /\.(\d+)$/.exec(stated)?.[1]?.length ?? 0;
			text = `${text.slice(0, from)}${value.toLocaleString('en', {minimumFractionDigits: digits})}${text.slice(to)}`;
		}
	}
	writeFileSync(page, text);
}
