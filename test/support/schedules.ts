// Runs interleavings of everything that can happen to a session, in virtual time. The server records requests that must not arrive.
import ky from 'ky';
import {type Auth, createAuth, customStore, isRegrantError, memoryStore, type TokenSet} from '../../src/index.ts';
import {createRandom} from '../chaos/random.ts';
import {createPlace, type OperationFate, type Place} from './schedule-place.ts';
import {createScheduleServer, type Login, type ScheduleServer} from './schedule-server.ts';
import type {Script, Step} from './schedule-themes.ts';
import {inVirtualTime, type VirtualTime} from './virtual-time.ts';

const left = new Error('left');
const holders = 3;
/** The timeout of one operation, in milliseconds. It is regrant's default. */
const timeout = 10_000;

/** A session in several realms, and what the test knows about it. */
interface World {
	readonly time: VirtualTime;
	readonly server: ScheduleServer;
	readonly place: Place;
	readonly auths: readonly Auth[];
	readonly random: () => number;
	/** What happened and must not happen. */
	readonly faults: string[];
	/** Whether each holder has its own store on a shared record. */
	readonly isShared: boolean;
	/** The login that the user has signed in with. Undefined after a sign-out. */
	current: Login | undefined;
	/** True if the last sign-in or sign-out failed. The user knows about the failure, so any login may be stored. */
	isUnsure: boolean;
	readonly signedOut: Login[];
	/** Logins that could not be stored. No other holder knows them. */
	readonly unsaved: Set<Login>;
	/** The first token of each login. */
	readonly firsts: Map<Login, TokenSet>;
	/** The sign-ins and sign-outs. There is one user, so they never overlap. */
	signing: Promise<unknown>;
	calls: number;
}

/** The exports of one copy of the package. */
export interface Copy {
	readonly createAuth: typeof createAuth;
	readonly customStore: typeof customStore;
}

const ours: Copy = {createAuth, customStore};

/**
Runs a schedule, and returns what went wrong.

@param copy The copy of the package that all holders but the first use.
*/
export async function play(script: Script, copy: Copy = ours): Promise<string[]> {
	const random = createRandom(script.seed);
	return inVirtualTime(random, async time => {
		const world = openWorld(script, time, random, copy);
		const {auths, server, faults} = world;
		await time.until(signIn(world, 0));
		server.fates = [...script.fates];
		const troubles = [...script.troubles];
		const running: Array<Promise<void>> = [];
		for (const step of script.steps) {
			await time.pass(step.pause);
			running.push(perform(world, step, troubles));
		}
		await time.until(Promise.all(running));
		server.fates = [];
		world.place.trouble.clear();
		server.busy = 0;
		// After this time, no late write, stop or back-off is left.
		await time.pass(120_000);
		await judge(world);
		for (const auth of auths) auth.close();
		await time.pass(60_000);
		return [...server.faults, ...faults];
	});
}

function openWorld({kind}: Script, time: VirtualTime, random: () => number, copy: Copy): World {
	/** Mostly short, and sometimes long. */
	const latency = (): number => (random() < 0.6 ? random() * 5 : random() < 0.8 ? random() * 50 : random() * 800);
	const server = createScheduleServer(time, latency);
	const place = createPlace(time, kind === 'memory' ? 'realm' : kind, {
		latency,
		late: () => timeout + random() * 3 * timeout,
		onLate: text => {
			const {login, refresh} = readText(server, text);
			const before = readText(server, place.text());
			// If a rotated token is not stored within the deadline, no other holder can get it. No client can prevent that.
			if (login && login === before.login && refresh !== before.refresh)
				login.excuse = 'the store hung after a rotation';
			// Until then, the other holders find the login before it, whose token a renewal may have used just now.
			if (before.login && login !== before.login)
				before.login.excuse = 'the store hung at the next login, or at a sign-out';
		},
	});
	const isShared = kind !== 'memory' && !kind.startsWith('realm');
	const one = kind === 'memory' ? memoryStore() : customStore(place.driver(0));
	const auths = Array.from({length: holders}, (_, holder) =>
		time.as(holder, () => {
			const {createAuth, customStore} = holder === 0 ? ours : copy;
			const auth = createAuth({
				tokenEndpoint: 'https://as.example/token',
				revocationEndpoint: 'https://as.example/revoke',
				clientId: 'app',
				origins: ['https://api.example'],
				store: isShared && holder > 0 ? customStore(place.driver(holder)) : one,
				fetch: server.tokenFetch,
				now: () => 1_800_000_000_000 + time.now(),
			});
			auth.subscribe(() => {});
			return auth;
		}),
	);
	return {
		time,
		server,
		place,
		auths,
		random,
		faults: [],
		isShared,
		current: undefined,
		isUnsure: false,
		signedOut: [],
		unsaved: new Set(),
		firsts: new Map(),
		signing: Promise.resolve(),
		calls: 0,
	};
}

/** Returns the refresh token of a record, and its login. */
function readText(
	server: ScheduleServer,
	text: string | undefined,
): {login: Login | undefined; refresh: string | undefined} {
	const token = JSON.parse(text ?? 'null') as TokenSet | null;
	return {login: server.loginOf(token?.refresh_token), refresh: token?.refresh_token};
}

/** Carries out one step. An error must be one of regrant, or come from an aborted caller. */
async function perform(world: World, step: Step, troubles: OperationFate[]): Promise<void> {
	const {time, faults} = world;
	try {
		await time.as(step.holder, async () => act(world, step, troubles));
	} catch (error) {
		if (error !== left && !isRegrantError(error)) faults.push(`${step.act} failed: ${String(error)}`);
	}
}

async function act(world: World, {act, holder, leaves, pause}: Step, troubles: OperationFate[]): Promise<unknown> {
	const {auths, place, server, time, random} = world;
	const auth = auths[holder] as Auth; // `holder` is a valid index
	const leaver = new AbortController();
	if (leaves) void time.sleep(random() * 100).then(() => leaver.abort(left));
	const {signal} = leaver;
	switch (act) {
		case 'call':
			if (random() < 0.2) server.busy++;
			return call(world, auth, signal);
		case 'getToken':
			return auth.getToken({signal});
		case 'refresh':
			return auth.refresh({signal});
		case 'signIn':
		case 'signInAgain':
		case 'restore':
		case 'signOut': {
			const signing = world.signing.then(async () => {
				world.isUnsure = true;
				await time.as(holder, async () => sign[act](world, holder));
				world.isUnsure = false;
			});
			world.signing = signing.catch(() => {});
			return signing;
		}
		case 'expire':
			return server.expireAll();
		case 'trouble': {
			const trouble = troubles.shift();
			const ahead = Array.from({length: Math.floor(random() * 3)}, () => undefined);
			if (trouble) place.trouble.set(holder, [...(place.trouble.get(holder) ?? []), ...ahead, trouble]);
			return undefined;
		}
		case 'stop':
			return time.stop(holder, 11_000 - pause);
		default:
			return act satisfies never;
	}
}

async function call(world: World, auth: Auth, signal: AbortSignal): Promise<number> {
	const response = await ky.put(`https://api.example/${++world.calls}`, {
		fetch: world.server.api,
		hooks: auth.hooks,
		retry: {limit: 2, delay: () => 20},
		timeout: false,
		throwHttpErrors: false,
		signal,
		json: {},
	});
	return response.status;
}

async function signIn(world: World, holder: number): Promise<void> {
	const {login, token} = world.server.mint();
	world.firsts.set(login, token);
	await signInWith(world, holder, login, token);
}

async function signInWith(world: World, holder: number, login: Login, token: TokenSet): Promise<void> {
	world.current = login;
	world.unsaved.add(login);
	await world.auths[holder]?.setToken(token).catch((error: unknown) => {
		excuseRefused(world);
		throw error;
	});
	world.unsaved.delete(login);
}

/**
Excuses the stored login if the store has refused the next one while the stored one was being renewed: the renewed token is no longer that of
the session, so it is not stored, and the other holders find the used one. The user knows that the login was not stored.
*/
function excuseRefused({place, server, current}: World): void {
	const {login, refresh = ''} = readText(server, place.text());
	const isUsed = login?.refresh !== refresh || server.asked.has(refresh);
	if (login && login !== current && isUsed) login.excuse = 'the store refused the next login during a renewal';
}

const sign = {
	signIn,
	async signInAgain(world: World, holder: number): Promise<void> {
		const {place, server} = world;
		const token = JSON.parse(place.text() ?? 'null') as TokenSet | null;
		const login = server.loginOf(token?.refresh_token);
		if (!token || !login) return;
		// If the token was renewed and stored before this session reads it, no client can save the login.
		const reader = world.isShared ? holder : 0;
		place.readers.set(reader, text => {
			const {login: owner, refresh} = readText(server, text);
			if (owner === login && refresh !== token.refresh_token)
				login.excuse = 'the user came with a token that was renewed';
		});
		await world.auths[holder]?.setToken(token).finally(() => place.readers.delete(reader));
	},
	async restore(world: World, holder: number): Promise<void> {
		const {firsts, signedOut, current, time} = world;
		// Waits, because a renewal that is still running could use up the token.
		await time.sleep(10_000);
		for (const [login, token] of firsts) {
			const isGood = login.isAlive && login.refresh === token.refresh_token && !signedOut.includes(login);
			if (isGood && login !== current) return signInWith(world, holder, login, token);
		}
		return undefined;
	},
	async signOut(world: World, holder: number): Promise<void> {
		const {current, auths, signedOut} = world;
		world.current = undefined;
		if (current) signedOut.push(current);
		await auths[holder]?.signOut();
	},
} as const;

/** Checks the final state of all holders, of the store and of the server. */
async function judge(world: World): Promise<void> {
	const {time, server, place, auths, faults, current, signedOut} = world;
	const last = signedOut.at(-1);
	// The user knows that a login was not stored. It may still be stored late, and a sign-out in another holder does not reach it.
	const isUnknown = world.unsaved.size > 0;
	const isExcused = current?.excuse !== undefined || world.isUnsure || isUnknown;
	for (const [holder, auth] of auths.entries()) {
		const outcome = await time.until(
			time.as(holder, async () =>
				auth.getToken().then(
					({access_token}) => server.loginOf(access_token)?.name ?? 'a token of nobody',
					(error: unknown) => (isRegrantError(error) ? error.code : String(error)),
				),
			),
		);
		const expected = current ? current.name : 'session_ended';
		if (outcome !== expected && !isExcused) faults.push(`holder ${holder} has ${outcome} in place of ${expected}`);
		const standing = current ? 'signed-in' : 'signed-out';
		if (auth.status !== standing && !isExcused)
			faults.push(`holder ${holder} is ${auth.status} in place of ${standing}`);
		server.expireAll();
		const status = await time.until(
			time.as(holder, async () =>
				call(world, auth, new AbortController().signal).catch((error: unknown) => String(error)),
			),
		);
		if (status !== (current ? 200 : 401) && !isExcused) faults.push(`a call of holder ${holder} came to ${status}`);
	}
	const {login: owner} = readText(server, place.text());
	if (owner && owner !== current && !isExcused) faults.push(`the store has ${owner?.name} in the end`);
	// A later login may use the same grant. Then a late token must not be revoked.
	if (!current && !isExcused && last?.isAlive && !last.excuse) faults.push(`${last.name} lives on after its sign-out`);
}
