import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {measureCalls, median, roundsOf} from '../bench/call.ts';
import {clients} from '../bench/clients.ts';
import {measureLoad} from '../bench/load.ts';
import {measureMemory, type MemoryResult} from '../bench/memory.ts';
import result from '../bench/result.json' with {type: 'json'};
import {bundle, ownRows, peerRows, toKilobytes} from '../bench/sizes.ts';
import {measureTypeCheck} from '../bench/type-check.ts';

// These tests check that the benchmark measures what it claims to measure. They do not check its results.
const once = {rounds: 1, seconds: 0};

describe('the benchmark', () => {
	test.for(['get', 'post'] as const)('the benchmark lets every client make its %s calls', async method => {
		const {ratios, rounds} = await measureCalls(method, {...once, calls: 2});
		expect(Object.keys(ratios)).toEqual(Object.keys(clients));
		expect(Object.values(ratios).every(ratio => ratio > 0 && ratio < Infinity)).toBe(true);
		expect(rounds).toBe(1);
	});

	test('the benchmark counts the grants and the requests of a crowd at the server', async () => {
		const loads = await measureLoad({...once, calls: 30});
		const counts = loads.map(({name, grants, calls, answered}) => [name, grants, calls, answered]);
		expect(counts).toEqual([
			['ky, the same requests by hand', 1, 60, 30],
			['regrant', 1, 60, 30],
			["ky, its readme's recipe", 30, 60, 30],
			['@badgateway/oauth2-client', expect.any(Number), 60, 30], // one more grant for each late 401
		]);
	});

	test(
		'the benchmark lets ky and regrant make the same requests, each in a process of its own',
		{timeout: 300_000},
		async () => {
			const effort = {
				'auth retries': {amount: 3, rounds: 1},
				'abandoned calls': {amount: 4, rounds: 1},
				download: {amount: 200_001, rounds: 1},
				upload: {amount: 200_001, rounds: 1},
			} as const;
			const rows = await measureMemory(effort);
			const nothing = {grants: 0, refused: 0, bytesDown: 0, bytesUp: 0};
			for (const contender of ['ky', 'regrant'] as const) {
				const seen = rows.filter(row => row.contender === contender).map(({done, traffic}) => ({done, ...traffic}));
				expect(seen).toEqual([
					{...nothing, done: 3, unanswered: 0, grants: 3, refused: 3},
					// Some calls may be aborted before they are sent.
					{...nothing, done: 4, unanswered: expect.any(Number)},
					{...nothing, done: 200_001, unanswered: 0, bytesDown: 200_001},
					{...nothing, done: 200_001, unanswered: 0, bytesUp: 200_001},
				]);
			}
			for (const {peak, settled, milliseconds, ratio} of rows) {
				expect(Math.min(peak, settled)).toBeGreaterThan(20);
				expect(milliseconds).toBeGreaterThan(0);
				expect(ratio).toBeGreaterThan(0);
			}
		},
	);

	test(
		'a Blob as a body takes no more memory with regrant than with ky alone [F-156]',
		{timeout: 180_000},
		async () => {
			const rows = await measureMemory({'upload of a Blob': {amount: 100e6, rounds: 1}});
			expect(rows.map(({done, traffic}) => [done, traffic.bytesUp])).toEqual([
				[100e6, 100e6],
				[100e6, 100e6],
			]);
			const [ky, regrant] = rows;
			// The limit, in megabytes, is far below the size of the Blob.
			expect((regrant?.peak ?? Infinity) - (ky?.peak ?? 0)).toBeLessThan(40);
		},
	);

	test('the benchmark bundles what the neighbours export', async () => {
		for (const row of peerRows) expect((await bundle(row)).bytes).toBeGreaterThan(3000);
	});

	test('the benchmark keeps what it has measured, on which machine and with which versions', () => {
		const {machine, versions, sizes, calls, loads} = result;
		expect(machine).toEqual({
			cpu: expect.stringMatching(/\w/),
			cores: expect.any(Number),
			memoryGiB: expect.any(Number),
			os: expect.stringMatching(/^\w+ \d/),
		});
		expect(Object.keys(versions)).toEqual(
			expect.arrayContaining(['node', 'regrant', 'ky', 'valibot', 'oidc-client-ts']),
		);
		expect(sizes.map(({name}) => name)).toEqual([...ownRows, ...peerRows].map(({name}) => name));
		expect([calls.get, calls.post].map(({ratios}) => Object.keys(ratios))).toEqual(
			[0, 1].map(() => Object.keys(clients)),
		);
		expect(loads.map(({name, answered}) => [name, answered])).toContainEqual(['regrant', 1000]);
	});

	test('the benchmark has the compiler accept each way to write an endpoint', {timeout: 180_000}, async () => {
		const checks = await measureTypeCheck(2, 1);
		expect(checks.map(({name, complaints}) => [name, complaints])).toEqual([
			['the schemas alone', 0],
			['ky, by hand', 0],
			['regrant', 0],
		]);
	});

	test('the benchmark ends after its rounds or its time, and counts none that warms up', () => {
		expect([...roundsOf({rounds: 3, seconds: 60, calls: 1})]).toEqual([0, 1, 2, 3]);
		expect([...roundsOf({rounds: 3, seconds: 0, calls: 1})]).toEqual([0, 1]);
		expect([median([3, 1, 2]), median([])]).toEqual([2, 0]);
		expect([toKilobytes(4401), toKilobytes(4400)]).toEqual([4.5, 4.4]);
	});
});

describe('the measurement of memory that is kept', () => {
	// `npm run bench:memory` wrote this file. The test does not run it.
	const {rows} = JSON.parse(readFileSync('test/bench/memory.json', 'utf8')) as MemoryResult;
	const amounts = {'auth retries': 10_000, 'abandoned calls': 1_000, download: 500e6, upload: 500e6};

	test('the stored memory result covers every scenario', () => {
		const done = rows.map(({scenario, contender, done}) => [scenario, contender, done]);
		const expected = Object.entries(amounts).flatMap(([scenario, amount]) => [
			[scenario, 'ky', amount],
			[scenario, 'regrant', amount],
		]);
		expect(done).toEqual(expected);
	});

	test.for(Object.keys(amounts))('regrant needs at most 10 MB more than bare ky: %s', scenario => {
		const [ky, regrant] = rows.filter(row => row.scenario === scenario);
		for (const memory of ['peak', 'settled'] as const)
			expect((regrant?.[memory] ?? Infinity) - (ky?.[memory] ?? 0)).toBeLessThanOrEqual(10);
	});
});
