import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import type {TokenStore} from '../../src/index.ts';
import {startAuthorizationServer, type TokenResponse} from '../support/authorization-server.ts';
import type {HolderOptions, HolderReport} from './holder.ts';
import type {SoakResult} from './result.ts';

/** A crowd of processes on one session. */
export interface CrowdOptions {
	readonly store: HolderOptions['store'];
	readonly place: string;
	readonly lease: number;
	/** The words before the script: `node`, or Deno with its flags. */
	readonly command: readonly [string, ...string[]];
	/** Writes the token of a login into the record that all share. */
	readonly login: (key: string, token: TokenResponse) => Promise<void>;
	readonly holders: number;
	readonly callers: number;
	readonly seconds: number;
	readonly seed: number;
	readonly isUnlocked?: boolean;
	/** Whether processes are killed and stopped. */
	readonly isCruel?: boolean;
	readonly log?: (line: string) => void;
}

/** What is done to a process: SIGKILL, or SIGSTOP for less or for more than its lease. */
type Harm = 'kill' | 'pause' | 'stop';

interface Holder {
	readonly name: string;
	readonly child: ChildProcess;
	report: HolderReport | undefined;
	isKilled: boolean;
	isStopped: boolean;
	/** Until when it was stopped for longer than its lease: Infinity while it is, 0 for never. */
	stoppedUntil: number;
}

const reasons = {
	kill: 'a process was killed between the rotation and its write',
	stop: 'a process was stopped for longer than its lease between the rotation and its write',
	unlocked: 'a refresh token was sent twice',
	none: 'no reason',
} as const;

/** Logs in through a store of this process. */
export function loginTo(open: (key: string) => TokenStore): CrowdOptions['login'] {
	return async (key, {expires_in, ...token}) => {
		const issued_at = Math.floor(Date.now() / 1000);
		await open(key).set({...token, issued_at, expires_at: issued_at + expires_in});
	};
}

/** Numbers that look random and come again with the seed. (mulberry32) */
export function createRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** How long the API takes an access token, in milliseconds. The clients are told a minute: it is the 401 that decides. */
const tokenLifetime = 250;

/** Lets a crowd loose on one session, and says what came of it. The server is the referee. */
export async function crowd(options: CrowdOptions): Promise<SoakResult> {
	const {holders: size, callers, seconds, seed, lease, isUnlocked = false, isCruel = false, log = () => {}} = options;
	const random = createRandom(seed);
	const server = await startAuthorizationServer({accessTokenSeconds: 60});
	const key = `soak-${seed}-${isUnlocked}`;
	const holders = new Map<string, Holder>();
	const reports: Array<() => HolderReport | undefined> = [];
	/** Who has used a refresh token first, and when. */
	const used = new Map<string, {readonly name: string; readonly at: number}>();
	/** The tokens that came of it. */
	const successors = new Map<string, TokenResponse>();
	/** Access tokens that the API has seen. Each was stored before: nobody gets one otherwise. */
	const seen = new Set<string>();
	const why: Record<string, number> = {};
	let sessionsLost = 0;
	let isLost = false;
	let refreshes = 0;
	let born = 0;
	/** What is done to the next one that renews the token. */
	let aimed: Harm | undefined;
	let harming: Promise<unknown> = Promise.resolve();

	/** Why a refresh token is sent for the second time: for some reasons it may be. */
	const findReason = (token: string): string => {
		if (isUnlocked) return reasons.unlocked;
		const first = used.get(token);
		const holder = holders.get(first?.name ?? '');
		const next = successors.get(token);
		const isWritten = !!next && (seen.has(next.access_token) || used.has(next.refresh_token));
		if (!first || !holder || isWritten) return reasons.none;
		if (holder.isKilled) return reasons.kill;
		return holder.stoppedUntil > first.at ? reasons.stop : reasons.none;
	};
	server.onToken(({parameters, headers}) => {
		const token = parameters.get('refresh_token') ?? '';
		const first = used.get(token);
		const name = headers['x-holder'] ?? '';
		if (!first) used.set(token, {name, at: performance.now()});
		else if (!isLost) {
			isLost = true;
			const reason = findReason(token);
			why[reason] = (why[reason] ?? 0) + 1;
			if (reason === reasons.none || isUnlocked) sessionsLost++;
			log(`lost: ${reason} (${first.name}, then ${name})`);
		}
		return undefined;
	});
	server.onCall(({headers}) => {
		seen.add((headers['authorization'] ?? '').replace('Bearer ', ''));
		return undefined;
	});
	const expireSoon = async (accessToken: string): Promise<void> => {
		await sleep(tokenLifetime);
		// It may be gone by itself, with its session.
		await server.expire(accessToken).catch(() => {});
	};
	server.onTokenAnswer(({parameters, headers}, {status, body}) => {
		if (status !== 200) return undefined;
		refreshes++;
		const answer = body as TokenResponse; // of a 200
		successors.set(parameters.get('refresh_token') ?? '', answer);
		void expireSoon(answer.access_token);
		const holder = aimed && holders.get(headers['x-holder'] ?? '');
		if (holder && aimed) harming = Promise.all([harming, strike(holder, aimed)]);
		aimed = undefined;
		return undefined;
	});

	const start = (): void => {
		const name = `holder ${++born}`;
		const told: HolderOptions = {
			store: options.store,
			place: options.place,
			key,
			lease,
			isUnlocked,
			callers,
			tokenEndpoint: server.tokenEndpoint,
			api: server.api,
			name,
		};
		const [command, ...args] = options.command;
		const child = spawn(command, [...args, 'test/soak/holder.ts', JSON.stringify(told)], {
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		const holder: Holder = {name, child, report: undefined, isKilled: false, isStopped: false, stoppedUntil: 0};
		createInterface({input: child.stdout}).on('line', line => {
			holder.report = JSON.parse(line) as HolderReport;
		});
		child.stdin.on('error', () => {});
		holders.set(name, holder);
		reports.push(() => holder.report);
	};

	const login = async (): Promise<void> => {
		isLost = false;
		const minted = await server.mint();
		await options.login(key, minted);
		void expireSoon(minted.access_token);
	};

	/** Does to a holder what operators, kernels and batteries do. */
	const strike = async (victim: Holder, harm: Harm): Promise<void> => {
		const {name, child} = victim;
		if (harm === 'kill') {
			victim.isKilled = true;
			child.kill('SIGKILL');
			log(`${name} is killed`);
			start();
			return;
		}
		const isLong = harm === 'stop';
		victim.isStopped = true;
		if (isLong) victim.stoppedUntil = Infinity;
		child.kill('SIGSTOP');
		await sleep(isLong ? lease * 1.5 : random() * lease * 0.3);
		child.kill('SIGCONT');
		victim.isStopped = false;
		if (isLong) victim.stoppedUntil = performance.now();
		log(`${name} was stopped for ${isLong ? 'longer than its lease' : 'a moment'}`);
	};
	/** One at random, at once or at the moment at which it hurts: its answer is there, and has not been sent yet. */
	const harmSomebody = async (): Promise<void> => {
		const harm: Harm = random() < 0.5 ? 'kill' : random() < 0.5 ? 'pause' : 'stop';
		if (random() < 0.15) {
			aimed = harm;
			return;
		}
		const alive = [...holders.values()].filter(({isKilled}) => !isKilled);
		const well = alive.filter(({isStopped}) => !isStopped);
		const victim = well[Math.floor(random() * well.length)];
		// Somebody must be left to go on.
		if (victim && well.length > alive.length / 2) await strike(victim, harm);
	};

	try {
		await login();
		for (let count = 0; count < size; count++) start();
		// All of them are there before it counts: a busy machine starts them slowly.
		for (let tries = 0; tries < 600 && [...holders.values()].some(({report}) => !report); tries++) await sleep(50);
		const end = performance.now() + seconds * 1_000;
		const began = performance.now();
		while (performance.now() < end) {
			await sleep(200 + random() * 400);
			// A long stop is nothing that the others wait for.
			if (isCruel && random() < 0.5) harming = Promise.all([harming, harmSomebody()]);
			if (isLost) await login();
		}
		await harming;
		const elapsed = (performance.now() - began) / 1_000;
		const living = [...holders.values()].filter(({child}) => child.exitCode === null && child.signalCode === null);
		const exits = living.map(({child}) => once(child, 'close'));
		for (const {child} of living) child.stdin?.end();
		await Promise.race([Promise.all(exits), sleep(15_000, undefined, {ref: false})]);
		const grants = server.tokenRequests.length;
		const all = reports.flatMap(report => report() ?? []);
		const waits = all.flatMap(report => report.waits).toSorted((one, other) => one - other);
		const outcomes: Record<string, number> = {};
		for (const report of all)
			for (const [outcome, count] of Object.entries(report.outcomes))
				outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
		log(`outcomes: ${JSON.stringify(outcomes)}`);
		return {
			store: `${options.store}${isUnlocked ? ', no lock' : ''}${isCruel ? ', killed and stopped' : ''}`,
			holders: size,
			callers,
			expiries: refreshes,
			grants,
			grantsPerExpiry: grants / Math.max(refreshes, 1),
			refreshesPerSecond: refreshes / elapsed,
			waitInLock: {median: waits[waits.length >> 1] ?? 0, max: waits.at(-1) ?? 0},
			sessionsLost,
			why,
			seed,
			outcomes,
		};
	} finally {
		for (const {child} of holders.values()) child.kill('SIGKILL');
		await server.close();
	}
}
