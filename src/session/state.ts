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
	/** Changes with every login and every sign-out. What began under another number is over. */
	readonly login: number;
	/** Counts sign-outs. A token that arrives after one is revoked. */
	readonly signOuts: number;
}

/** What happens to a session. */
export type SessionAction =
	/** The store was read for the first time. */
	| {readonly type: 'read'; readonly token: TokenSet | undefined}
	/** Somebody signs in here. What comes next is the token. */
	| {readonly type: 'login'}
	/** `setToken` has stored a token. */
	| {readonly type: 'token-set'; readonly token: TokenSet}
	/** A renewal has stored a token. */
	| {
			readonly type: 'renewed';
			readonly token: TokenSet;
			readonly cause: 'grant' | 'refresh';
	  }
	/** Another holder of the store has changed the token, or has removed it. */
	| {
			readonly type: 'changed-elsewhere';
			readonly token: TokenSet | undefined;
			readonly isSameLogin: boolean;
	  }
	/** The server has rejected the refresh token, or there is nothing to renew a dead token with. */
	| {readonly type: 'ended'; readonly reason: SessionEndedReason}
	/** Somebody signs out here. */
	| {readonly type: 'signed-out'}
	/** The sign-out has removed what the store held. */
	| {readonly type: 'removed'; readonly token: TokenSet | undefined};

/** What comes of an action. */
export interface Transition {
	readonly state: SessionState;
	/** What to tell. */
	readonly event?: AuthEvent | undefined;
	/** Whether work that is under way belongs to a login that is over. */
	readonly interrupts: boolean;
}

/** Before the store is read. */
export const initialState: SessionState = {
	status: 'unknown',
	login: 0,
	signOuts: 0,
};

/** Gives the next state, the event to tell, and whether what is under way still counts. */
export function transition(state: SessionState, action: SessionAction): Transition {
	const stay = (status: SessionState['status'], event?: AuthEvent): Transition => ({
		state: {...state, status},
		event,
		interrupts: false,
	});
	const begin = (event?: AuthEvent): Transition => ({
		state: {...state, status: 'active', login: state.login + 1},
		event,
		interrupts: true,
	});
	const end = (event?: AuthEvent): Transition => ({
		state: {
			status: 'ended',
			login: state.login + 1,
			signOuts: state.signOuts + 1,
		},
		event,
		interrupts: true,
	});
	const ended = (reason: SessionEndedReason): AuthEvent => ({
		type: 'session-ended',
		reason,
	});

	switch (action.type) {
		case 'read':
			return stay(action.token ? 'active' : 'none');
		case 'login':
			return begin();
		case 'token-set':
			return stay('active', tokenEvent('set', action.token));
		case 'renewed': {
			const next = stay('active', tokenEvent(action.cause, action.token));
			// What begins after an end may be another user's. The renewal that began it goes on.
			return state.status === 'ended' ? {...next, state: {...next.state, login: state.login + 1}} : next;
		}
		case 'changed-elsewhere': {
			if (!action.token) return end(ended('signed_out'));
			const event = tokenEvent('store', action.token);
			return action.isSameLogin ? stay('active', event) : begin(event);
		}
		case 'ended':
			return stay('ended', state.status === 'ended' ? undefined : ended(action.reason));
		case 'signed-out':
			return end();
		case 'removed':
			return {
				state,
				event: action.token && ended('signed_out'),
				interrupts: false,
			};
		default:
			return action satisfies never;
	}
}

const tokenEvent = (cause: 'set' | 'grant' | 'refresh' | 'store', {expires_at}: TokenSet): AuthEvent => ({
	type: 'token',
	cause,
	expires_at,
});
