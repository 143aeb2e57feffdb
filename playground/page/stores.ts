import {type AuthOptions, memoryStore} from 'regrant';
import {indexedDbStore, webStorage} from 'regrant/web';

type Store = NonNullable<AuthOptions['store']>;

/** Where a session may live. These are the choices that the page offers, in this order. */
const stores = {
	IndexedDB: (name: string): Store => indexedDbStore(name),
	localStorage: (name: string): Store => webStorage(name, localStorage),
	sessionStorage: (name: string): Store => webStorage(name, sessionStorage),
	memory: (): Store => memoryStore(),
} as const;

/** The name of a store. */
export type StoreName = keyof typeof stores;

/** The names of all stores. */
export const storeNames = Object.keys(stores) as readonly StoreName[]; // `stores` has no other keys

/** The store for a session that several tabs share. */
export const sharedStore: StoreName = 'IndexedDB';

/** Opens the store of that kind which has this name. */
export const openStore = (kind: StoreName, name: string): Store => stores[kind](name);
