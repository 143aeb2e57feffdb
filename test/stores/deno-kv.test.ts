import {describe, expect} from 'vitest';
import {ConfigError} from '../../src/index.ts';
import {denoKvStore} from '../../src/stores/deno-kv.ts';
import {denoCrowd} from '../chaos/deno-kv.ts';
import {createKvFolder, runDeno} from '../support/deno.ts';
import {startLab} from '../support/lab.ts';
import {test} from '../support/test.ts';

interface Outcome {
	readonly title: string;
	readonly error?: string;
}

/** Runs the specification in Deno, and returns the outcome of each test. */
async function runSuite(): Promise<Outcome[]> {
	const lab = await startLab();
	const {file, remove} = createKvFolder();
	try {
		const output = await runDeno('test/e2e/deno/store-spec.ts', JSON.stringify(lab.facts), file);
		lab.verdict();
		return [...output.matchAll(/^TEST (.*)$/gm)].map(([, outcome = '']) => JSON.parse(outcome) as Outcome);
	} finally {
		await lab.close();
		remove();
	}
}

const outcomes = await runSuite().catch((error: unknown) => [
	{title: 'the suite runs to its end', error: String(error)},
]);

describe('in Deno', () => {
	test.for(outcomes.map(({title, error}) => [title, error] as const))('denoKvStore: %s', ([, error]) => {
		expect(error).toBe(undefined);
	});
});

const kv = {
	get: async () => ({value: null, versionstamp: null}),
	set: async () => {},
	delete: async () => {},
	atomic: () => kv,
} as unknown as Parameters<typeof denoKvStore>[0];

describe('denoKvStore', () => {
	test.for([
		['kv', () => denoKvStore({} as typeof kv, 'key')],
		['kv', () => denoKvStore(undefined as unknown as typeof kv, 'key')],
		['key', () => denoKvStore(kv, '')],
		['key', () => denoKvStore(kv, [])],
		['key', () => denoKvStore(kv, 42 as unknown as string)],
		['key', () => denoKvStore(kv, ['sessions', undefined as unknown as string])],
		['key', () => denoKvStore(kv, ['sessions', {} as unknown as string])],
		['key', () => denoKvStore(kv, ['sessions', Symbol('a')])],
		['lease', () => denoKvStore(kv, 'key', {lease: 1})],
		['ttl', () => denoKvStore(kv, 'key', {ttl: 0})],
	] as const)('denoKvStore refuses a bad %s when it is made', ([name, create]) => {
		expect(create).toThrow(ConfigError);
		expect(create).toThrow(new RegExp(`^${name} must be`));
	});
});

describe('Deno processes on one session', {timeout: 180_000}, () => {
	// A busy machine must not make a process stand still for longer than its lease.
	const fleet = {holders: 4, callers: 10, lease: 5_000, seconds: 90, refreshes: 5} as const;

	test('Deno processes make one grant for each token that expires [R71, F-104]', async () => {
		const result = await denoCrowd({...fleet, lease: 15_000, seed: 1});
		expect([result.sessionsLost, result.why]).toEqual([0, {}]);
		expect(result.refreshes).toBeGreaterThan(3);
		expect(result.grants - result.refreshes).toBeLessThanOrEqual(1);
	});

	test('Deno processes lose the session only if one died between the rotation and its write [F-98, F-135]', async () => {
		const lines: string[] = [];
		const log = (line: string): void => void lines.push(line);
		const seed = Math.floor(Math.random() * 2 ** 31);
		const result = await denoCrowd({...fleet, isCruel: true, seed, log});
		expect([result.sessionsLost, ...(result.sessionsLost > 0 ? [seed, lines] : [])]).toEqual([0]);
		expect(lines.some(line => line.includes('killed'))).toBe(true);
		expect(result.refreshes).toBeGreaterThan(1);
	});
});
