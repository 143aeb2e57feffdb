// Real processes of Node, Deno and Bun that share one file. At random, they are stopped and killed.
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {globSync, mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, onTestFinished} from 'vitest';
import {fileDriver} from '../../src/stores/file-driver.ts';
import {fileCrowd} from '../chaos/file.ts';
import {createRandom} from '../chaos/random.ts';
import {deno} from '../support/deno.ts';
import {test} from '../support/test.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

const runtimes: Readonly<Record<string, readonly [string, ...string[]]>> = {
	Node: [process.execPath],
	Deno: deno,
	Bun: [resolve('node_modules/.bin/bun'), 'run'],
};

/** A process that increments a number in the file. */
interface Counter {
	readonly child: ChildProcess;
	/** The numbers that it has reported. */
	readonly numbers: number[];
	readonly errors: string[];
	/** Resolves when the process has ended, and everything that it has written was read. */
	readonly gone: Promise<unknown>;
}

function startCounter(path: string, [command, ...flags]: readonly [string, ...string[]]): Counter {
	const child = spawn(command, [...flags, 'test/support/file-counter.ts', path], {stdio: ['pipe', 'pipe', 'inherit']});
	child.stdin.on('error', () => {});
	const counter: Counter = {child, numbers: [], errors: [], gone: once(child, 'close')};
	createInterface({input: child.stdout}).on('line', line => {
		if (/^\d+$/.test(line)) counter.numbers.push(Number(line));
		else counter.errors.push(line);
	});
	return counter;
}

const isAlive = ({child}: Counter): boolean => child.exitCode === null && child.signalCode === null;

async function end(counter: Counter): Promise<void> {
	if (isAlive(counter)) {
		counter.child.kill('SIGCONT');
		counter.child.stdin?.end();
	}
	await counter.gone;
}

describe('processes on one file', {timeout: 180_000}, () => {
	test(`processes of three runtimes, stopped and killed at random, never overwrite what another has written (seed ${seed}) [F-135]`, async () => {
		const folder = mkdtempSync(join(tmpdir(), 'regrant-file-'));
		const path = join(folder, 'tool', 'session.json');
		const driver = fileDriver(path);
		await driver.set({access_token: 'first', token_type: 'Bearer', issued_at: 0});
		const random = createRandom(seed);
		const commands = Object.values(runtimes);
		const all: Counter[] = [];
		const start = (): Counter => {
			const counter = startCounter(path, commands[all.length % commands.length] ?? [process.execPath]);
			all.push(counter);
			return counter;
		};
		onTestFinished(async () => {
			for (const {child} of all) child.kill('SIGKILL');
			rmSync(folder, {recursive: true, force: true});
		});
		const running = Array.from({length: 6}, start);
		const counts = (): number => all.reduce((sum, {numbers}) => sum + numbers.length, 0);
		while (counts() < 20) await sleep(50);
		let kills = 0;
		let stops = 0;
		const goingOn: Array<Promise<void>> = [];
		for (; stops < 8 || kills < 4 || counts() < 150; await sleep(200)) {
			const index = Math.floor(random() * running.length);
			const counter = running[index];
			if (!counter) continue;
			if (random() < 0.5) {
				kills++;
				counter.child.kill('SIGKILL');
				running[index] = start();
			} else {
				stops++;
				counter.child.kill('SIGSTOP');
				// The stop is shorter or longer than the time after which other processes take the file over.
				goingOn.push(sleep(200 + random() * 2_500).then(() => void counter.child.kill('SIGCONT')));
			}
		}
		await Promise.all(goingOn);
		// Also those that were killed: what they have reported may not have been read yet.
		await Promise.all(all.map(end));
		expect(stops).toBeGreaterThan(5);
		const {issued_at: last} = (await driver.get()) as {readonly issued_at: number};
		const numbers = all.flatMap(counter => counter.numbers);
		// No two processes wrote the same number. At most one number is missing for each killed process, which may have had no time to
		// report it.
		expect(new Set(numbers).size).toBe(numbers.length);
		expect(Math.max(...numbers)).toBeLessThanOrEqual(last);
		expect(last - numbers.length).toBeLessThanOrEqual(kills);
		expect(last).toBeGreaterThan(100);
		// A process that was stopped for longer than a change may take gives up the change, and reports this error.
		const errors = all.flatMap(counter => counter.errors);
		expect(errors.filter(error => error !== 'StoreError: The token store failed: store_write')).toEqual([]);
		expect(await driver.replace?.(await driver.get(), {access_token: 'last', token_type: 'Bearer', issued_at: 1})).toBe(
			true,
		);
		const left = globSync('**/*', {cwd: folder}).map(name => join(folder, name));
		const texts = left.filter(name => statSync(name).isFile()).map(name => readFileSync(name, 'utf8'));
		expect(texts.filter(text => text.includes('access_token'))).toHaveLength(1);
		expect(statSync(path).mode & 0o777).toBe(0o600);
	});

	// A busy machine must not make a process stand still for longer than its lease.
	const fleet = {callers: 10, seconds: 90, refreshes: 5, lease: 6_000, seed} as const;

	test.for(Object.entries(runtimes))(
		'processes of %s on one file make one grant for each token that expires [R71, F-104]',
		async ([, command]) => {
			const result = await fileCrowd({...fleet, command, holders: 4, lease: 15_000});
			expect([result.sessionsLost, result.why]).toEqual([0, {}]);
			expect(result.refreshes).toBeGreaterThan(3);
			expect(result.grants - result.refreshes).toBeLessThanOrEqual(1);
		},
	);

	test('processes on one file lose the session only if one died or stood still between the rotation and its write [F-98, F-135]', async () => {
		const lines: string[] = [];
		const log = (line: string): void => void lines.push(line);
		const result = await fileCrowd({
			...fleet,
			command: [process.execPath],
			holders: 6,
			isCruel: true,
			isFoul: true,
			log,
		});
		expect([result.sessionsLost, ...(result.sessionsLost > 0 ? [seed, lines] : [])]).toEqual([0]);
		expect(lines.some(line => line.includes('killed'))).toBe(true);
		expect(result.refreshes).toBeGreaterThan(1);
	});

	test('processes on one file lose the session at once without a lock, which shows that the test can fail', async () => {
		const result = await fileCrowd({...fleet, command: [process.execPath], holders: 3, refreshes: 1, isUnlocked: true});
		expect(result.sessionsLost).toBeGreaterThan(0);
	});
});
