import {indexedDbDriver} from './indexed-db-driver.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {TokenStore} from './token-cell.ts';
import {type WebStorage, webStorageDriver} from './web-storage-driver.ts';

export type {WebStorage} from './web-storage-driver.ts';

/**
Keeps the token in IndexedDB, for all tabs, frames, service workers and dedicated workers of the origin. One of them at a time refreshes it,
under a Web Lock, and a BroadcastChannel notifies the others. The session outlives the browser.

Any script of the origin can read the token: keep other people's scripts off the page.

A page without https has no Web Locks. There, nothing but a comparison before each write keeps tabs apart, and two of them may use one
refresh token. If the browser allows no IndexedDB (a sandboxed frame), the token stays in the memory of this page, and `store-failed` says
so. The same happens on a server that renders the page.

@param name Any text: tabs with the same name share one session.
@throws {ConfigError} if the name is no text, or is empty.
@see https://www.w3.org/TR/web-locks/
@example
```ts
const auth = createAuth({tokenEndpoint, clientId: 'app', store: indexedDbStore('session')});
```
*/
export function indexedDbStore(name: string): TokenStore {
	return sharedStore(indexedDbDriver(name));
}

/**
Keeps the token in a Web Storage. With `sessionStorage`, each tab has a session of its own, which ends with the tab, and which the
frames of the tab share. A tab that the page opens by `window.open` begins with a copy of it, so that two tabs use one refresh token: open
it with `noopener`.

With `localStorage`, all tabs share one session. But in Chromium a tab can read there what was stored before another tab's last write,
even under a lock. Then it uses a refresh token for the second time, and the server may end the session. `indexedDbStore` does not have
that problem: prefer it.

Any script of the origin can read the token: keep other people's scripts off the page.

@param key The name of the item.
@param storage `sessionStorage`, `localStorage`, or an object that works like them. Or a function that gives it: browsers throw at the
mere mention of a storage that the page may not use, and servers that render the page do not have one.
@throws {ConfigError} if the key is no text, or `storage` is missing or no Web Storage.
@example
```ts
const auth = createAuth({tokenEndpoint, clientId: 'app', store: webStorage('session', sessionStorage)});
```
*/
export function webStorage(key: string, storage: WebStorage | (() => WebStorage)): TokenStore {
	return sharedStore(webStorageDriver(key, storage));
}
