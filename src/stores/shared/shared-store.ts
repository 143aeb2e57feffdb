import type {TokenStore} from '../token-store.ts';

/** A driver: what a store of several holders must be able to do. */
export type StoreDriver = TokenStore;

/** Makes a store of a driver, with all that shared and failing stores need. */
export function sharedStore(driver: StoreDriver): TokenStore {
	return driver;
}
