import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';
import {startAuthorizationServer, type TokenResponse} from '../support/authorization-server.ts';
import type {HolderOptions, HolderReport} from './holder.ts';
import {createLedger, excuses, type Use} from './ledger.ts';
import {addTo, count, type Counts} from './counts.ts';
import {createRandom} from './random.ts';
import {type ActResult, sumUp} from './result.ts';
import {brew} from './weather.ts';

/** Options for many processes that share one session. */
export interface CrowdOptions {
	readonly store: HolderOptions['store'];
	readonly place: string;
	readonly lease: number;
	/** The command that runs the script: `node`, or Deno with its flags. */
	readonly command: readonly [string, ...string[]];
	/** Writes the token of a login into the record that all processes share. */
	readonly login: (key: string, token: TokenResponse) => Promise<void>;
	readonly holders: number;
	readonly callers: number;
	/** How long the run lasts, or how long it may take at most if `refreshes` is set. */
	readonly seconds: number;
	/**
	Ends the run after this many refreshes. If `isCruel` is set, the run goes on until a process was killed and another one stopped. Without
	a lock, it goes on until a session was lost.
	*/
	readonly refreshes?: number;
	readonly seed: number;
	readonly isUnlocked?: boolean;
	/** Kills and stops processes at random. */
	readonly isCruel?: boolean;
	/** Delays, rejects and loses requests and responses at random. */
	readonly isFoul?: boolean;
	readonly log?: (line: string) => void;
}

/** What is done to a process: SIGKILL, or SIGSTOP for a time that is longer (`stop`) or shorter (`pause`) than its lease. */
type Harm = 'kill' | 'pause' | 'stop';

interface Holder {
	readonly name: string;
	readonly child: ChildProcess;
	report: HolderReport | undefined;
	isKilled: boolean;
	isStopped: boolean;
	/** When the last stop began. */
	stoppedAt: number;
	/** When the last stop that was longer than the lease ends. Infinity during the stop, 0 if there was none. */
	stoppedUntil: number;
}

/** Creates a `login` that writes through a store of this process. */
export function loginTo(open: (key: string) => StoreDriver): CrowdOptions['login'] {
	return async (key, {expires_in, ...token}) => {
		const issued_at = Math.floor(Date.now() / 1000);
		await open(key).set({...token, issued_at, expires_at: issued_at + expires_in});
	};
}

/** How long the API accepts an access token, in milliseconds. The clients are told one minute, so they only learn it from the 401. */
const tokenLifetime = 250;
/** The deadlines of token requests, in milliseconds. Where some requests are never answered, the short one is used. */
const timeouts = {usual: 10_000, short: 3_000};

/** Runs many processes on one session and reports the outcome. The server decides whether a session was lost without an excuse. */
export async function crowd(options: CrowdOptions): Promise<ActResult> {
	const {holders: size, callers, seconds, seed, lease, log = () => {}} = options;
	const {isUnlocked = false, isCruel = false, isFoul = false} = options;
	const timeout = isFoul || isCruel ? timeouts.short : timeouts.usual;
	const random = createRandom(seed);
	const server = await startAuthorizationServer({accessTokenSeconds: 60});
	const key = `crowd-${seed}-${isUnlocked}`;
	const holders = new Map<string, Holder>();
	const reports: Array<() => HolderReport | undefined> = [];
	const faults: Counts = {};
	/** The refresh token of the current login, as it was issued. */
	let login = '';
	let born = 0;
	/** What to do to the process that renews the token next. */
	let aimed: Harm | undefined;
	let harming: Promise<unknown> = Promise.resolve();

	/** A pause is much shorter than the lease. But if this process is busy, it ends the pause late. */
	const isPausedForLong = ({isStopped, stoppedAt}: Holder): boolean => isStopped && Date.now() - stoppedAt > lease / 2;
	const explain = ({holder: name, at}: Use): string | undefined => {
		const holder = holders.get(name);
		if (isUnlocked || !holder) return undefined;
		if (holder.isKilled) return excuses.kill;
		return holder.stoppedUntil > at || isPausedForLong(holder) ? excuses.stop : undefined;
	};
	const ledger = createLedger({explain, timeout});
	const weather = brew(server, {random, ledger, timeout, isFair: !isFoul, clocksJump: true});
	const expireSoon = async (accessToken: string): Promise<void> => {
		await sleep(tokenLifetime);
		// The token may have been revoked already, together with its session.
		await server.expire(accessToken).catch(() => {});
	};
	server.onTokenAnswer(({headers}, {status, body}) => {
		if (status !== 200) return undefined;
		void expireSoon((body as TokenResponse).access_token); // a 200 has a token response
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
			timeout,
			clockJumps: isFoul,
			tokenEndpoint: server.tokenEndpoint,
			api: server.api,
			name,
		};
		const [command, ...args] = options.command;
		const child = spawn(command, [...args, 'test/chaos/holder.ts', JSON.stringify(told)], {
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		const holder: Holder = {
			name,
			child,
			report: undefined,
			isKilled: false,
			isStopped: false,
			stoppedAt: 0,
			stoppedUntil: 0,
		};
		createInterface({input: child.stdout}).on('line', line => {
			try {
				holder.report = JSON.parse(line) as HolderReport;
			} catch {
				// The process was killed while it wrote this line.
			}
		});
		child.stdin.on('error', () => {});
		holders.set(name, holder);
		reports.push(() => holder.report);
	};

	const logIn = async (): Promise<void> => {
		const minted = await server.mint();
		ledger.open(minted);
		login = minted.refresh_token;
		await options.login(key, minted);
		void expireSoon(minted.access_token);
	};

	/** Stops or kills a process, as an operator, a kernel or an empty battery does. */
	const strike = async (victim: Holder, harm: Harm): Promise<void> => {
		const {name, child} = victim;
		if (harm === 'kill') {
			victim.isKilled = true;
			child.kill('SIGKILL');
			count(faults, 'process killed');
			log(`${name} is killed`);
			start();
			return;
		}
		const isLong = harm === 'stop';
		victim.isStopped = true;
		victim.stoppedAt = Date.now();
		if (isLong) victim.stoppedUntil = Infinity;
		child.kill('SIGSTOP');
		await sleep(isLong ? lease * 1.5 : random() * lease * 0.3);
		child.kill('SIGCONT');
		if (isLong || isPausedForLong(victim)) victim.stoppedUntil = Date.now();
		victim.isStopped = false;
		count(faults, isLong ? 'process stopped for longer than its lease' : 'process stopped for a moment');
		log(`${name} was stopped for ${isLong ? 'longer than its lease' : 'a moment'}`);
	};
	/** Harms one process: a random one at once, or the next one that renews, when its response exists but has not been sent. */
	const harmSomebody = async (): Promise<void> => {
		const harm: Harm = random() < 0.5 ? 'kill' : random() < 0.5 ? 'pause' : 'stop';
		if (random() < 0.15) {
			aimed = harm;
			return;
		}
		const alive = [...holders.values()].filter(({isKilled}) => !isKilled);
		const well = alive.filter(({isStopped}) => !isStopped);
		const victim = well[Math.floor(random() * well.length)];
		// More than half of the processes must keep running.
		if (victim && well.length > alive.length / 2) await strike(victim, harm);
	};

	const isEnough = (): boolean => {
		const {refreshes, sessionsLost} = ledger.account();
		if (options.refreshes === undefined || refreshes < options.refreshes) return false;
		if (isUnlocked) return sessionsLost > 0;
		const harms = Object.keys(faults);
		return !isCruel || ['killed', 'stopped'].every(harm => harms.some(name => name.includes(harm)));
	};

	try {
		await logIn();
		for (let started = 0; started < size; started++) start();
		// Waits until all processes run before anything is counted, because a busy machine starts them slowly.
		for (let tries = 0; tries < 1_200 && [...holders.values()].some(({report}) => !report); tries++) await sleep(50);
		const end = performance.now() + seconds * 1_000;
		const began = performance.now();
		while (performance.now() < end && !isEnough()) {
			await sleep(200 + random() * 400);
			// A long stop must not delay the other faults, so it runs in the background.
			if (isCruel && random() < 0.5) harming = Promise.all([harming, harmSomebody()]);
			const fate = ledger.fateOf(login);
			if (fate !== undefined) {
				log(`lost: ${fate}`);
				await logIn();
			}
		}
		await harming;
		const elapsed = (performance.now() - began) / 1_000;
		const living = [...holders.values()].filter(({child}) => child.exitCode === null && child.signalCode === null);
		const exits = living.map(({child}) => once(child, 'close'));
		for (const {child} of living) child.stdin?.end();
		await Promise.race([Promise.all(exits), sleep(15_000, undefined, {ref: false})]);
		const grants = server.tokenRequests.length;
		const all = reports.flatMap(report => report() ?? []);
		const outcomes: Counts = {};
		for (const report of all) addTo(outcomes, report.outcomes);
		ledger.unexcused.forEach(log);
		log(`outcomes: ${JSON.stringify(outcomes)}`);
		return sumUp({
			name: `${options.store}${isUnlocked ? ', no lock' : ''}${isCruel ? ', killed and stopped' : ''}${isFoul ? ', in bad weather' : ''}`,
			holders: size,
			callers,
			seed,
			seconds: elapsed,
			...ledger.account(),
			grants,
			waits: all.flatMap(({waits}) => waits),
			outcomes,
			faults: {...weather.faults, ...faults},
		});
	} finally {
		for (const {child} of holders.values()) child.kill('SIGKILL');
		await server.close();
	}
}
