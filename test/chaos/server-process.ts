import {fork} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import type {TokenResponse} from '../support/authorization-server.ts';
import type {Counts} from './counts.ts';
import type {Account} from './ledger.ts';

/** The options of the server process, as JSON. */
export interface ServerOptions {
	readonly seed: number;
	/** The deadline of the clients' token requests, in milliseconds. */
	readonly timeout: number;
}

/** The counts of the server. */
export interface Tally extends Account {
	/** How many token requests arrived. */
	readonly grants: number;
	/** How many grants the provider has revoked, because a refresh token came twice. */
	readonly revocations: number;
	/** How many requests failed inside the provider. */
	readonly failures: number;
	readonly faults: Readonly<Counts>;
	/** One text for each session that was lost without an excuse: which process sent what, and when. */
	readonly unexcused: readonly string[];
}

/** A message to the server process. */
export interface Question {
	readonly id: number;
	readonly ask:
		| {readonly what: 'mint' | 'tally'}
		| {readonly what: 'fate'; readonly refreshToken: string}
		| {readonly what: 'calm'; readonly isCalm: boolean};
}

/** The answer of the server process. Only the fields that were asked for are set. */
export interface Answer {
	readonly token?: TokenResponse;
	readonly fate?: string | undefined;
	readonly tally?: Tally;
	readonly place?: {readonly tokenEndpoint: string; readonly api: string};
}

/** The server, which runs in its own process. */
export interface ServerProcess {
	readonly tokenEndpoint: string;
	readonly api: string;
	/** Returns the token response of a new login. */
	mint(): Promise<TokenResponse>;
	/** Why the login that began with this refresh token was lost. Undefined if it was not lost. */
	fateOf(refreshToken: string): Promise<string | undefined>;
	calm(isCalm: boolean): Promise<void>;
	tally(): Promise<Tally>;
	close(): Promise<void>;
}

/** Starts the server process. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
	const script = fileURLToPath(new URL('server.ts', import.meta.url));
	const child = fork(script, [JSON.stringify(options)], {execArgv: []});
	const waiting = new Map<number, {resolve: (answer: Answer) => void; reject: (error: Error) => void}>();
	let ids = -1;
	child.on('message', ({id, ...answer}: Answer & {readonly id: number}) => {
		waiting.get(id)?.resolve(answer);
		waiting.delete(id);
	});
	child.once('exit', () => {
		for (const {reject} of waiting.values()) reject(new Error('The server has ended'));
	});
	const next = async (send: (id: number) => void): Promise<Answer> =>
		new Promise((resolve, reject) => {
			const id = ++ids;
			waiting.set(id, {resolve, reject});
			send(id);
		});
	const ask = async (question: Question['ask']): Promise<Answer> =>
		next(id => void child.send({id, ask: question} satisfies Question));
	// The server sends its address first, without being asked.
	const {place} = await next(() => {});
	if (!place) throw new Error('The server is nowhere');
	return {
		...place,
		mint: async () => {
			const {token} = await ask({what: 'mint'});
			if (!token) throw new Error('The server gave no token');
			return token;
		},
		fateOf: async refreshToken => (await ask({what: 'fate', refreshToken})).fate,
		calm: async isCalm => void (await ask({what: 'calm', isCalm})),
		tally: async () => {
			const {tally} = await ask({what: 'tally'});
			if (!tally) throw new Error('The server gave no tally');
			return tally;
		},
		close: async () => {
			const over = once(child, 'exit');
			child.disconnect();
			await over;
		},
	};
}
