// Writes the measured numbers into README.md and test/README.md. Run `node test/support/state-claims.ts` after a build, and after new
// results of the benchmarks or the chaos.
import {readFileSync, writeFileSync} from 'node:fs';
import {claims, toNumber} from './claims.ts';

const pages = ['README.md', 'test/README.md'];

for (const page of pages) {
	let text = readFileSync(page, 'utf8');
	for (const {pattern, measures} of claims) {
		const match = new RegExp(pattern, `${pattern.flags}d`).exec(text);
		// Replaces from the last number to the first, so that the positions of the earlier ones stay valid.
		for (const [index, measure] of [...measures.entries()].toReversed()) {
			const [from, to] = match?.indices?.[index + 1] ?? [];
			if (from === undefined || to === undefined) continue;
			const stated = text.slice(from, to);
			const {value, allows} = await measure();
			if (toNumber(stated) === value || allows?.(toNumber(stated))) continue;
			// A size keeps its decimal, even if that is a zero.
			const digits = /\.(\d+)$/.exec(stated)?.[1]?.length ?? 0;
			text = `${text.slice(0, from)}${value.toLocaleString('en', {minimumFractionDigits: digits})}${text.slice(to)}`;
		}
	}
	writeFileSync(page, text);
}
