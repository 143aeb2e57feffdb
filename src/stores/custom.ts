import {ConfigError} from '../errors.ts';
import {memberOf} from '../lib/own-properties.ts';
import type {TokenSet} from '../token/token-set.ts';
import {createSharedStore} from './shared/shared-store.ts';
import type {StoreDriver} from './shared/store-driver.ts';
import type {TokenStore} from './token-cell.ts';

/**
Turns your own functions into a store: `get`, `set` and `delete`, and optional further ones.

@param driver The functions. If several tabs, isolates or processes share the store, it should also have `lock` and `replace`.
@throws {ConfigError} if one of the three is missing.
@example
```ts
const store = customStore({
	get: () => JSON.parse(localStorage.getItem('session') ?? 'null'),
	set: token => localStorage.setItem('session', JSON.stringify(token)),
	delete: () => localStorage.removeItem('session'),
});
```
*/
export function customStore(driver: StoreDriver): TokenStore {
	for (const name of ['get', 'set', 'delete', 'lock', 'subscribe', 'replace', 'isSameLogin'] as const) {
		const given = memberOf(driver, name);
		if (typeof given !== 'function' && (given || /^(?:get|set|delete)$/.test(name)))
			throw new ConfigError(`customStore(driver): driver.${name} must be a function`);
	}
	const careful = {
		__proto__: null,
		get: () => driver.get(),
		set: (token: TokenSet) => driver.set(token),
		delete: () => driver.delete(),
		// These are looked up each time, because a driver may get its lock only when it is connected.
		get lock() {
			return bind(driver, 'lock');
		},
		get replace() {
			return bind(driver, 'replace');
		},
		get subscribe() {
			const subscribe = bind(driver, 'subscribe');
			return subscribe && ((onChange: () => void) => subscribeTo(subscribe, onChange));
		},
		get isSameLogin() {
			const compare: ((...records: [unknown, unknown]) => unknown) | undefined = bind(driver, 'isSameLogin');
			// A getter of a record may throw. Then the names of the logins in the records decide.
			return compare && ((...records: [unknown, unknown]) => orNothing(() => !!compare(...records)));
		},
	};
	return createSharedStore(careful as unknown as StoreDriver); // its functions have the types of the driver's
}

/** Listens to a driver. Without news, the store is read again at the next call. */
function subscribeTo(subscribe: (onChange: () => void) => unknown, onChange: () => void): () => void {
	const stop: unknown = orNothing(() => subscribe(onChange));
	// A driver in JavaScript may have given something else.
	return () => void (typeof stop === 'function' && stop());
}

/** Returns what a function gives, or undefined if it throws. */
function orNothing<T>(give: () => T): T | undefined {
	try {
		return give();
	} catch {
		return undefined;
	}
}

/** Returns a function of a driver that can be called without it. Undefined if the driver has none: it may have null or false in its place. */
function bind<Name extends keyof StoreDriver>(driver: StoreDriver, name: Name): StoreDriver[Name] | undefined {
	const given = memberOf(driver, name);
	if (typeof given !== 'function') return undefined;
	return ((...values: unknown[]): unknown => Reflect.apply(given, driver, values)) as StoreDriver[Name];
}
