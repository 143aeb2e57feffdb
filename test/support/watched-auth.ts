import type {Hooks} from 'ky';

/** The members of an `Auth` that can reject or send events. The type is structural, so this directory needs nothing from `src`. */
export interface Watchable {
	readonly hooks: Hooks;
	readonly fetch: typeof fetch;
	getToken(...given: never[]): Promise<unknown>;
	refresh(...given: never[]): Promise<unknown>;
	setToken(...given: never[]): Promise<unknown>;
	signOut(...given: never[]): Promise<unknown>;
	subscribe(listener: (event: unknown) => void): () => void;
}

/** An `Auth` whose errors and events are recorded. */
export interface Watched<Auth> {
	/** Behaves like the original: it returns the same promises and the same errors. */
	readonly auth: Auth;
	stop(): void;
}

const methods = ['fetch', 'getToken', 'refresh', 'setToken', 'signOut'] as const;

/**
Passes to `see` every rejection of an `Auth`, every error of ky with its hooks, and every event. The original gets one more listener, and ky
one more `beforeError` hook. Nothing wraps `hooks.init`, because regrant must recognise its own function.
*/
export function watchAuth<Auth extends Watchable>(auth: Auth, see: (value: unknown) => void): Watched<Auth> {
	const properties: Record<string, PropertyDescriptor> = Object.getOwnPropertyDescriptors(auth);
	for (const name of methods) properties[name] = constant(recorded(auth, auth[name], see));
	properties['hooks'] = constant(recordedHooks(auth.hooks, see));
	return {
		auth: Object.create(Object.getPrototypeOf(auth) as object | null, properties) as Auth, // it has the same members
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
