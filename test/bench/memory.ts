import {execFile} from 'node:child_process';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {median} from './call.ts';
import {contenders, scenarios, type Task} from './memory-scenarios.ts';
import {none, startMemoryServer, type Traffic} from './memory-server.ts';

/** What one process has done, and the memory that it needed. */
export interface Footprint {
	/** The number of calls or bytes. */
	readonly done: number;
	readonly milliseconds: number;
	/** Resident memory after a garbage collection, and its maximum, in megabytes. */
	readonly settled: number;
	readonly peak: number;
}

/** The medians of one scenario with one client. */
export interface MemoryRow extends Footprint {
	readonly scenario: Task['scenario'];
	readonly contender: Task['contender'];
	/** The median, over all rounds, of the time divided by that of bare ky. */
	readonly ratio: number;
	/** The requests of the last round. */
	readonly traffic: Traffic;
}

/** How much each scenario does, and how many times it is repeated. */
export type MemoryEffort = Readonly<
	Partial<Record<Task['scenario'], {readonly amount: number; readonly rounds: number}>>
>;

/** The result of a whole measurement. */
export interface MemoryResult {
	readonly versions: Readonly<Record<string, string>>;
	readonly rows: readonly MemoryRow[];
}

const script = fileURLToPath(new URL('memory-process.ts', import.meta.url));

async function runOnce(task: Task): Promise<Footprint> {
	const {stdout} = await promisify(execFile)(process.execPath, ['--expose-gc', script, JSON.stringify(task)]);
	return JSON.parse(stdout) as Footprint; // memory-process.ts prints this
}

/** Measures each scenario with bare ky and with regrant, alternately. Each run has its own process. */
export async function measureMemory(effort: MemoryEffort): Promise<MemoryRow[]> {
	const server = await startMemoryServer();
	const {origin} = server;
	const rows: MemoryRow[] = [];
	try {
		for (const scenario of Object.keys(scenarios) as Task['scenario'][]) {
			const {amount = 0, rounds = 0} = effort[scenario] ?? {};
			if (rounds === 0) continue;
			const runs = {ky: [] as Footprint[], regrant: [] as Footprint[]};
			const traffic: Partial<Record<Task['contender'], Traffic>> = {};
			const names = Object.keys(contenders) as Task['contender'][];
			for (let round = 0; round < rounds; round++) {
				// The order changes each round, because the machine may be busier for the first client.
				for (const contender of round % 2 === 0 ? names : names.toReversed()) {
					server.takeTraffic();
					runs[contender].push(await runOnce({scenario, contender, amount, origin}));
					traffic[contender] = server.takeTraffic();
				}
			}
			for (const contender of names) rows.push(toRow(scenario, contender, runs, traffic[contender]));
		}
		return rows;
	} finally {
		await server.close();
	}
}

function toRow(
	scenario: Task['scenario'],
	contender: Task['contender'],
	runs: Readonly<Record<Task['contender'], readonly Footprint[]>>,
	traffic: Traffic | undefined,
): MemoryRow {
	const own = runs[contender];
	const middle = (name: keyof Footprint): number => round(median(own.map(run => run[name])));
	return {
		scenario,
		contender,
		done: Math.min(...own.map(({done}) => done)),
		milliseconds: middle('milliseconds'),
		settled: middle('settled'),
		peak: middle('peak'),
		ratio: round(median(own.map(({milliseconds}, index) => milliseconds / (runs.ky[index]?.milliseconds ?? 0)))),
		traffic: traffic ?? none,
	};
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
