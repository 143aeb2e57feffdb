import {ConfigError} from '../errors.ts';
import {sharedStore} from './shared/shared-store.ts';
import {type StoreDriver, supports} from './shared/store-driver.ts';
import type {TokenStore} from './token-cell.ts';

/**
Makes a store of your own `get`, `set` and `delete`, and of what else it can do.

@param driver What reads and writes. A store that several tabs, isolates or processes share should have `lock` and `replace` too.
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
	for (const name of ['get', 'set', 'delete'] as const) {
		if (typeof Object(driver)[name] !== 'function')
			throw new ConfigError(`customStore(driver): driver.${name} must be a function`);
	}
	return sharedStore(driver, {
		isMarked: supports(driver, 'lock') && !supports(driver, 'isSameLogin'),
	});
}
