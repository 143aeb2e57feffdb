import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {sharedStore} from './shared/shared-store.ts';
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
	const functions = ownProperties<Record<string, unknown>>({});
	for (const name of ['get', 'set', 'delete', 'lock', 'subscribe', 'replace', 'isSameLogin'] as const) {
		const given: unknown = Object(driver)[name];
		// Its own or its class's, but not one that every object inherits.
		const isThere = given && given !== Reflect.get({}, name);
		if (isThere ? typeof given !== 'function' : /^(?:get|set|delete)$/.test(name))
			throw new ConfigError(`customStore(driver): driver.${name} must be a function`);
		if (isThere)
			functions[name] = (...values: unknown[]) => Reflect.apply(driver[name] as () => unknown, driver, values);
	}
	const {subscribe, isSameLogin} = functions as Partial<StoreDriver>;
	if (subscribe) {
		functions['subscribe'] = (onChange: () => void) => {
			// Without news, the store is read again at the next call.
			const stop: unknown = orNothing(() => subscribe(onChange));
			// A driver in JavaScript may have given something else.
			return () => void (typeof stop === 'function' && stop());
		};
	}
	if (isSameLogin) {
		functions['isSameLogin'] = (later: unknown, earlier: unknown) => orNothing(() => isSameLogin(later, earlier));
	}
	return sharedStore(functions as unknown as StoreDriver); // as just checked
}

/** Returns what a function gives, or undefined if it throws. */
function orNothing<T>(give: () => T): T | undefined {
	try {
		return give();
	} catch {
		return undefined;
	}
}
