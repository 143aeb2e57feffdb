import {ConfigError, SessionEndedError} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {CellChange, TokenStore} from '../stores/token-cell.ts';
import type {TokenSet} from '../token/token-set.ts';
import {createEvents, type SessionEvents} from './events.ts';
import type {SessionSettings} from './settings.ts';
import {initialState, type SessionAction, type SessionState, transition} from './state.ts';

/** What all parts of one session share. */
export interface SessionCore {
	readonly store: TokenStore;
	readonly events: SessionEvents;
	/** The state now. */
	readonly state: () => SessionState;
	/** Takes an action: changes the state, tells of it, and interrupts what is under way. */
	readonly dispatch: (action: SessionAction) => void;
	/** Sets what is called when work under way belongs to a login that is over. */
	readonly onInterrupt: (listener: (error: SessionEndedError) => void) => void;
	/** Sets what is called with a token that a slow holder has written after its login was signed out. */
	readonly onLateToken: (listener: (token: TokenSet) => void) => void;
	/** Reads the token. A read that a login or a sign-out overtakes begins anew. */
	readonly read: (settings: SessionSettings, waiter?: Waiter) => Promise<TokenSet | undefined>;
	/** Listens to the store for one listener more, until the function that it returns is called. */
	readonly watch: (settings: SessionSettings) => () => void;
	/** Gives the status for rendering. Whoever has seen `unknown` is told when it is known. */
	readonly status: () => 'unknown' | 'signed-in' | 'signed-out';
	/** Whether the user's code is being called: what it asks of the session would wait for itself. */
	isCallingOut: boolean;
}

/** Creates the core of the session of a store. */
export function createCore(store: TokenStore): SessionCore {
	const events = createEvents();
	let state = initialState;
	let interrupt: (error: SessionEndedError) => void = () => {};
	let revokeLate: (token: TokenSet) => void = () => {};
	let wasUnknownSeen = false;

	const publicStatus = (): 'signed-in' | 'signed-out' => (state.status === 'active' ? 'signed-in' : 'signed-out');

	const dispatch = (action: SessionAction): void => {
		const next = transition(state, action);
		state = next.state;
		if (next.interrupts) interrupt(new SessionEndedError('signed_out'));
		// A login is told by the event of its token, and a sign-out that has removed nothing by none.
		const isSettled = action.type === 'read' || action.type === 'removed';
		const event = next.event ?? (wasUnknownSeen && isSettled && {type: 'status', status: publicStatus()});
		if (!event) return;
		wasUnknownSeen = false;
		events.emit(event);
	};

	store.onChange((change: CellChange) => {
		if (change.type === 'changed') dispatch({...change, type: 'changed-elsewhere'});
		else if (change.type === 'failed') events.emit({type: 'store-failed', error: change.error});
		else revokeLate(change.token);
	});

	const core: SessionCore = {
		store,
		events,
		state: () => state,
		dispatch,
		onInterrupt: listener => {
			interrupt = listener;
		},
		onLateToken: listener => {
			revokeLate = listener;
		},
		read: async (settings, waiter) => {
			if (core.isCallingOut) throw new ConfigError('grant and renew must not use the session that they serve');
			waiter?.signal?.throwIfAborted();
			for (;;) {
				const {login} = state;
				const token = await store.read(settings, waiter);
				if (login !== state.login) continue;
				if (state.status === 'unknown') dispatch({type: 'read', token});
				return token;
			}
		},
		watch: createWatch(store),
		status: () => {
			if (state.status !== 'unknown') return publicStatus();
			wasUnknownSeen = true;
			return 'unknown';
		},
		isCallingOut: false,
	};
	return core;
}

/** Listens to a store once, for as long as anybody listens to the session. */
function createWatch(store: TokenStore): SessionCore['watch'] {
	const watchers = new Set<object>();
	let stop: (() => void) | undefined;
	return settings => {
		const watcher = {};
		watchers.add(watcher);
		stop ??= store.watch?.(settings);
		return () => {
			watchers.delete(watcher);
			if (watchers.size > 0) return;
			stop?.();
			stop = undefined;
		};
	};
}
