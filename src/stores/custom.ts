import {ConfigError} from '../errors.ts';
import {sharedStore} from './shared/shared-store.ts';
import {type StoreDriver, supports} from './shared/store-driver.ts';
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
		const isRequired = /^(?:get|set|delete)$/.test(name);
		if (typeof Object(driver)[name] !== 'function' && (isRequired || supports(driver, name as 'lock')))
			throw new ConfigError(`customStore(driver): driver.${name} must be a function`);
	}
	return sharedStore(driver);
}
