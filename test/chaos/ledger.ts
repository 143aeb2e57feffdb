import type {TokenResponse} from '../support/authorization-server.ts';
import {count, type Counts} from './counts.ts';

/** The reasons that excuse a lost session: nobody knows the new refresh token, and the old one has been used. */
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

/** The first use of a refresh token. If all is well, it is the only one. */
export interface Use {
	/** Who sent it. */
	readonly holder: string;
	/** When, by a clock or a count of the caller. */
	readonly at: number;
	/** Whether anybody has shown that they know the outcome. */
	readonly isKnown: () => boolean;
}

/** A login, and everything that followed from it. */
interface Login {
	/** Why it was lost, once it was. */
	fate: string | undefined;
}

interface Entry {
	readonly login: Login;
	use?: Use;
	successor?: TokenResponse;
	excuse?: string;
	/** To whom it was refused. */
	refused?: Use;
}

/** The totals of a ledger. */
export interface Account {
	/** How often a refresh token was exchanged. */
	readonly refreshes: number;
	/** How many logins were lost, by reason. */
	readonly why: Readonly<Counts>;
	/** How many of them have no excuse. */
	readonly sessionsLost: number;
	/** What else must not have happened. */
	readonly complaints: Readonly<Counts>;
}

/**
Records who has sent which refresh token to a server with reuse detection. When a token comes twice, the server ends its login, and the
ledger says whether a client is to blame.
*/
export interface Ledger {
	/** A login has begun, with this token. */
	open(token: TokenResponse): void;
	/** A refresh token is about to be looked at by the server. */
	spend(refreshToken: string, by: Pick<Use, 'holder' | 'at'>): void;
	/** It was exchanged for this one. */
	rotate(refreshToken: string, successor: TokenResponse): void;
	/** It was refused, and who sent it was told so. */
	refuse(refreshToken: string, to: Pick<Use, 'holder' | 'at'>): void;
	/** What came of it will not be known to anybody. */
	excuse(refreshToken: string, why: string): void;
	/** An access token was used: whoever did so knows the refresh token that came with it, too. */
	see(accessToken: string): void;
	/** Whether it was used before. */
	isSeen(accessToken: string): boolean;
	/** Why the login that began with this refresh token was lost. Undefined where it was not. */
	fateOf(refreshToken: string): string | undefined;
	/** What it comes to so far. */
	account(): Account;
	/** Of each session that was lost without an excuse: who sent what, and when. */
	readonly unexcused: readonly string[];
}

/** What an account can know besides. */
export interface LedgerOptions {
	/** An excuse for the second use of a token, by its first. */
	readonly explain?: (first: Use) => string | undefined;
	/** After how many milliseconds a client gives up a token request. */
	readonly timeout?: number;
}

/** An empty one. */
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
			// A client that heard of the rejection, and still runs, makes sure that nobody sends the token again.
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
