import {durableObjectDriver, type VaultStub} from './durable-object-driver.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {ExpiringStoreOptions} from './shared/ttl.ts';
import type {TokenStore} from './token-cell.ts';

export {TokenVault} from './token-vault.ts';
export type {VaultRequest, VaultResponse, VaultStub} from './durable-object-driver.ts';
export type {LeaseOptions} from './shared/lease.ts';
export type {ExpiringStoreOptions} from './shared/ttl.ts';
export type {VaultState, VaultStorage} from './token-vault.ts';

/**
Keeps the token in a Durable Object, for all isolates of a worker, wherever they run. One request at a time refreshes the token, under a
lease that ends by itself if that request is dropped. Every write compares first, so a request that was too slow overwrites nothing.

Every call asks the object. There is no subscription, because one request of a Worker cannot use what another one has opened. An object that
is restarting is asked again. Give `createAuth` the `waitUntil` of `cloudflare:workers` as well: a refresh that dies with its request may
have used up the refresh token.

There is no store for Workers KV: other places see a write there up to a minute late, and would use a refresh token twice. If every isolate
can get a token for itself, `memoryStore` is enough.

@param stub Called for each operation, since a stub of one request is dead in the next. One object keeps one session: name it for its user.
@param options.lease Milliseconds for which a dropped request blocks a refresh, at most 600,000. Not shorter than the `timeout` of the
session. The default is 15,000.
@param options.ttl Seconds after the last write until the record is deleted, by an alarm. By default it stays.
@throws {ConfigError} if `stub`, `lease` or `ttl` cannot be used. The message names it. Later, the store rejects with a `StoreError` if the
object cannot be reached, or cannot read or write.
@example
```ts
import {env, waitUntil} from 'cloudflare:workers';

export {TokenVault} from 'regrant/cloudflare';

const auth = createAuth({
	tokenEndpoint,
	clientId,
	store: durableObjectStore(() => env.VAULT.getByName('session')),
	waitUntil,
});
```
@see https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency
*/
export function durableObjectStore(stub: () => VaultStub, options?: ExpiringStoreOptions): TokenStore {
	return sharedStore(durableObjectDriver(stub, options));
}
