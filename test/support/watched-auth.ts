import type {Hooks} from 'ky';

/** What of an `Auth` can fail or tell something. Structural, so that this directory needs nothing of `src`. */
export interface Watchable {
	readonly hooks: Hooks;
	readonly fetch: typeof fetch;
	getToken(...given: never[]): Promise<unknown>;
	refresh(...given: never[]): Promise<unknown>;
	setToken(...given: never[]): Promise<unknown>;
	signOut(...given: never[]): Promise<unknown>;
	subscribe(listener: (event: unknown) => void): () => void;
}

/** An `Auth` under watch. */
export interface Watched<Auth> {
	/** Behaves as the one that was given: the same promises, the same errors. */
	readonly auth: Auth;
	stop(): void;
}

const methods = ['fetch', 'getToken', 'refresh', 'setToken', 'signOut'] as const;

/**
Shows `see` every rejection that an `Auth` gives, every error that ky gives with its hooks, and every event. The original
gets one listener more, and ky one `beforeError` hook more; nothing is added around `hooks.init`, since regrant must be
able to recognise its own.
*/
export function watchAuth<Auth extends Watchable>(auth: Auth, see: (value: unknown) => void): Watched<Auth> {
	const properties: Record<string, PropertyDescriptor> = Object.getOwnPropertyDescriptors(auth);
	for (const name of methods) properties[name] = constant(recorded(auth, auth[name], see));
	properties['hooks'] = constant(recordedHooks(auth.hooks, see));
	return {
		auth: Object.create(Object.getPrototypeOf(auth) as object | null, properties) as Auth, // the same members, by construction
		stop: auth.subscribe(see),
	};
}

function constant(value: unknown): PropertyDescriptor {
	return {value, enumerable: true, configurable: true, writable: false};
}

type Method = (...given: never[]) => Promise<unknown>;

function recorded(auth: Watchable, method: Method, see: (value: unknown) => void): Method {
	return (...given) => {
		try {
			const promise = method.apply(auth, given);
			promise.then(undefined, see);
			return promise;
		} catch (error) {
			see(error);
			throw error;
		}
	};
}

function recordedHooks(hooks: Hooks, see: (value: unknown) => void): Hooks {
	const record = ({error}: {readonly error: Error}): Error => {
		see(error);
		return error;
	};
	return {...hooks, beforeError: [...(hooks.beforeError ?? []), record]};
}
