import type {SessionEndedReason} from '../errors.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {AuthEvent} from './events.ts';

/** One session over time. */
export interface SessionState {
	/**
	- `unknown`: the store has not been read yet.
	- `none`: the store has no token, and no session has ended here.
	- `active`: there is a token.
	- `ended`: there was a session, and it is over.
	*/
	readonly status: 'unknown' | 'none' | 'active' | 'ended';
	/** Changes with every login and every sign-out. Work that began under another number no longer counts. */
	readonly login: number;
	/** Counts sign-outs. A token that arrives after a sign-out is revoked. */
	readonly signOuts: number;
	/** Whether somebody has signed out here, and no event has told so yet. It does when the store has forgotten the token. */
	readonly isUntold?: boolean;
}

/** What happens to a session. */
export type SessionAction =
	/** The store was read for the first time. */
	| {readonly type: 'read'; readonly token: TokenSet | undefined}
	/** Somebody signs in here. Storing the token is the next action. */
	| {readonly type: 'login'}
	/** `setToken` has stored a token, or a renewal has. */
	| {readonly type: 'stored'; readonly token: TokenSet; readonly cause: 'set' | 'grant' | 'refresh'}
	/** Another holder of the store has changed or removed the token. */
	| {readonly type: 'changed'; readonly token: TokenSet | undefined; readonly isSameLogin: boolean}
	/** The server has rejected the refresh token, or nothing can renew the token. */
	| {readonly type: 'ended'; readonly reason: SessionEndedReason}
	/** Somebody signs out here. */
	| {readonly type: 'signed-out'}
	/** The sign-out has removed what the store held. */
	| {readonly type: 'removed'; readonly token: TokenSet | undefined};

/** The result of an action. */
export interface Transition {
	/** The next state. If its `login` is another one, running work no longer counts, except for the renewal that has stored a token. */
	readonly state: SessionState;
	/** The event to send. */
	readonly event: AuthEvent | undefined;
}

/** Before the store is read. */
export const initialState: SessionState = {status: 'unknown', login: 0, signOuts: 0};

/** Returns the next state, and the event to send. The number of the login says whether running work still counts. */
export function transition(state: SessionState, action: SessionAction): Transition {
	const {status, login, signOuts, isUntold} = state;
	/** The part of the next state with which running work no longer counts. */
	const over = {login: login + 1, signOuts};
	const signedOut = {...over, signOuts: signOuts + 1, status: 'ended'} as const;

	const to = (next: SessionState, event?: AuthEvent): Transition => ({state: next, event});

	switch (action.type) {
		case 'read':
			return to({...state, status: action.token ? 'active' : 'none'});
		case 'login':
			return to({...over, status: 'active'});
		case 'stored':
			return to({...state, status: 'active'}, tokenEvent(action.cause, action.token));
		case 'changed':
			if (!action.token) return to(signedOut, endedEvent('signed_out'));
			return to({...(action.isSameLogin ? state : over), status: 'active'}, tokenEvent('store', action.token));
		case 'ended':
			// The session that begins next may belong to another user.
			if (status === 'ended') return to(state);
			// Nobody was signed in, so there is nothing to tell.
			return to({...over, status: 'ended'}, action.reason === 'no_session' ? undefined : endedEvent(action.reason));
		case 'signed-out':
			return to({...signedOut, isUntold: isUntold || status === 'active'});
		case 'removed':
			return to({...state, isUntold: false}, action.token || isUntold ? endedEvent('signed_out') : undefined);
		default:
			return action satisfies never;
	}
}

const tokenEvent = (cause: 'set' | 'grant' | 'refresh' | 'store', {expires_at}: TokenSet): AuthEvent => ({
	type: 'token',
	cause,
	expires_at,
});

const endedEvent = (reason: SessionEndedReason): AuthEvent => ({type: 'session-ended', reason});
