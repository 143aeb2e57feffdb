import type {CallCosts} from './call.ts';
import type {Load} from './load.ts';
import {type Size, toKilobytes} from './sizes.ts';
import {printTable} from './table.ts';
import type {TypeCheck} from './type-check.ts';

/** Prints the sizes, beside the goal and the limit that a test enforces. */
export function printSizes(sizes: readonly Size[]): void {
	printTable(
		'Size of a bundle, minified, gzip -9',
		['', 'bytes', 'kB', 'goal', 'limit'],
		sizes.map(({name, bytes, goal, limit}) => [
			name,
			String(bytes),
			toKilobytes(bytes).toFixed(1),
			String(goal ?? ''),
			String(limit ?? ''),
		]),
	);
}

/** Prints how long the compiler takes for this number of endpoints. */
export function printTypeChecks(checks: readonly TypeCheck[], definitions: number): void {
	const byHand = checks.find(({name}) => name.startsWith('ky'))?.milliseconds ?? 0;
	printTable(
		`Type-check of ${definitions} endpoints and a call of each, with the compiler's start, × ky`,
		['', 'complaints', 'ms', 'time'],
		checks.map(({name, complaints, milliseconds}) => [
			name,
			String(complaints),
			milliseconds.toFixed(0),
			times(milliseconds / byHand),
		]),
	);
}

/** The goal for the cost of a call, as a multiple of ky's. */
const callGoal = 1.15;

/** The goal for many calls at once with an expired token, as a multiple of the same requests made by hand. */
const loadGoal = 1.25;

/** Prints what one call costs. */
export function printCalls({get, post}: {readonly get: CallCosts; readonly post: CallCosts}): void {
	printTable(
		`One call with a valid token, mock fetch, × ky (lower decile of ${get.rounds} and ${post.rounds} rounds; goal of a GET: ${callGoal})`,
		['', 'GET', 'POST JSON'],
		Object.keys(get.ratios).map(name => [name, times(get.ratios[name]), times(post.ratios[name])]),
	);
	console.log(`  (1.00 was ${get.microseconds.toFixed(0)} µs and ${post.microseconds.toFixed(0)} µs)`);
}

/** Prints what many calls at once with an expired token cost. */
export function printLoads(loads: readonly Load[], calls: number): void {
	printTable(
		`${calls} calls at once on an expired token, loopback, × ky (lower decile of ${loads[0]?.rounds} rounds; goal: ${loadGoal})`,
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

function times(ratio = 0): string {
	return ratio.toFixed(2);
}
