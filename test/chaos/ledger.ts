import type {TokenResponse} from '../support/authorization-server.ts';
import {count, type Counts} from './counts.ts';

/** Reasons that excuse a lost session: no client knows the new refresh token, and the old one has been used. */
export const excuses = {
	lost: 'an answer was lost after the server had rotated',
	late: 'an answer came after the deadline, though the server had rotated',
	kill: 'a process was killed between the rotation and its write',
	stop: 'a process was stopped for longer than its lease between the rotation and its write',
	closed: 'a tab was closed between the rotation and its write',
} as const;

/** The reasons that do not excuse a lost session. */
export const reproaches = {
	twice: 'a refresh token was sent twice',
	refused: 'a refresh token was sent again after it had been refused',
} as const;

/** The first use of a refresh token. It should be the only one. */
export interface Use {
	/** The process that sent it. */
	readonly holder: string;
	/** When it was sent: by a clock, or by a counter of the caller. */
	readonly at: number;
	/** True if a client has shown that it received the response. */
	readonly isKnown: () => boolean;
}

/** A login and all tokens that followed from it. */
interface Login {
	/** Why the session was lost. Undefined as long as it was not. */
	fate: string | undefined;
}

interface Entry {
	readonly login: Login;
	use?: Use;
	successor?: TokenResponse;
	excuse?: string;
	/** The use that the server rejected. */
	refused?: Use;
}

/** The totals of the ledger. */
export interface Account {
	/** How often a refresh token was exchanged. */
	readonly refreshes: number;
	/** How many logins were lost, by reason. */
	readonly why: Readonly<Counts>;
	/** How many of these logins were lost without an excuse. */
	readonly sessionsLost: number;
	/** Other things that must not happen, and how often they did. */
	readonly complaints: Readonly<Counts>;
}

/**
Records who has sent which refresh token to a server with reuse detection. When a token comes twice, the server ends its login, and the
ledger says whether a client is to blame.
*/
export interface Ledger {
	/** Records a login that began with this token. */
	open(token: TokenResponse): void;
	/** Records that this refresh token has arrived. Call it before the server processes the request. */
	spend(refreshToken: string, by: Pick<Use, 'holder' | 'at'>): void;
	/** Records that the server has exchanged the refresh token for this response. */
	rotate(refreshToken: string, successor: TokenResponse): void;
	/** Records that the server rejected the refresh token, and that the sender received the rejection. */
	refuse(refreshToken: string, to: Pick<Use, 'holder' | 'at'>): void;
	/** Records that no client will learn the outcome of this use. */
	excuse(refreshToken: string, why: string): void;
	/** Records the use of an access token. Its sender has received the response, and so knows the refresh token that came with it. */
	see(accessToken: string): void;
	/** True if the access token has been used before. */
	isSeen(accessToken: string): boolean;
	/** Why the login that began with this refresh token was lost. Undefined if it was not lost. */
	fateOf(refreshToken: string): string | undefined;
	/** Returns the totals so far. */
	account(): Account;
	/** One text for each session that was lost without an excuse: which process sent what, and when. */
	readonly unexcused: readonly string[];
}

/** Options of a ledger. */
export interface LedgerOptions {
	/** Returns an excuse for the second use of a token, given its first use. */
	readonly explain?: (first: Use) => string | undefined;
	/** The timeout of the clients' token requests, in milliseconds. */
	readonly timeout?: number;
}

/** Creates an empty ledger. */
export function createLedger({explain = () => undefined, timeout = Infinity}: LedgerOptions = {}): Ledger {
	const entries = new Map<string, Entry>();
	const seen = new Set<string>();
	const why: Counts = {};
	const complaints: Counts = {};
	const unexcused: string[] = [];
	let refreshes = 0;

	const findExcuse = ({use, successor, excuse}: Entry, now: number): string | undefined => {
		if (!use || use.isKnown()) return undefined;
		const isUnanswered = !successor && now - use.at >= timeout;
		return excuse ?? (isUnanswered ? excuses.late : explain(use));
	};

	const lose = (entry: Entry, reproach: string, second: Pick<Use, 'holder' | 'at'>): void => {
		const {login, use} = entry;
		if (login.fate !== undefined) return;
		const found = findExcuse(entry, second.at);
		login.fate = found ?? reproach;
		count(why, login.fate);
		if (found !== undefined) return;
		const first = use ? `${use.holder} ${Math.round(second.at - use.at)} ms before` : 'nobody';
		unexcused.push(
			`${reproach}: by ${first}, and by ${second.holder}${use?.isKnown() ? ', though its successor was known' : ''}`,
		);
	};

	return {
		open: ({refresh_token}) => void entries.set(refresh_token, {login: {fate: undefined}}),
		spend: (refreshToken, by) => {
			const entry = entries.get(refreshToken);
			if (!entry) return;
			// A client that received the rejection and still runs must make sure that nobody sends the token again.
			if (entry.refused && explain(entry.refused) === undefined) count(complaints, reproaches.refused);
			if (entry.use) lose(entry, reproaches.twice, by);
			const isKnown = (): boolean => {
				const {successor} = entry;
				return !!successor && (seen.has(successor.access_token) || !!entries.get(successor.refresh_token)?.use);
			};
			entry.use ??= {...by, isKnown};
		},
		rotate: (refreshToken, successor) => {
			const entry = entries.get(refreshToken);
			if (!entry) return;
			refreshes++;
			entry.successor = successor;
			entries.set(successor.refresh_token, {login: entry.login});
		},
		refuse: (refreshToken, to) => {
			const entry = entries.get(refreshToken);
			if (entry) entry.refused ??= {...to, isKnown: () => false};
		},
		excuse: (refreshToken, reason) => {
			const entry = entries.get(refreshToken);
			if (entry) entry.excuse ??= reason;
		},
		see: accessToken => void seen.add(accessToken),
		isSeen: accessToken => seen.has(accessToken),
		fateOf: refreshToken => entries.get(refreshToken)?.login.fate,
		account: () => ({refreshes, why, sessionsLost: unexcused.length, complaints}),
		unexcused,
	};
}
