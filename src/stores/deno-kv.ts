import {denoKvDriver, type DenoKvKeyPart, type DenoKvLike} from './deno-kv-driver.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {ExpiringStoreOptions} from './shared/ttl.ts';
import type {TokenStore} from './token-cell.ts';

export type {DenoKvAtomic, DenoKvEntry, DenoKvKeyPart, DenoKvLike, DenoKvSetOptions} from './deno-kv-driver.ts';
export type {LeaseOptions} from './shared/lease.ts';
export type {ExpiringStoreOptions} from './shared/ttl.ts';

/**
Keeps the token in Deno KV, for several Deno processes on one session. One process at a time refreshes the token, under a lease that
ends by itself if the process crashes. Every write compares first, so a process that was stopped for longer than its lease overwrites
nothing.

Every call reads the record, since a process that watches a key would not end. A process takes a lease over when it has watched it for
the lease's length without a renewal, so the clocks of several machines need not agree.

@param kv What `Deno.openKv()` gives.
@param key The key of the record, or its only part. The lease is kept below it.
@param options.lease Milliseconds for which a crashed process blocks a refresh. Not shorter than the `timeout` of the session. The
default is 15,000.
@param options.ttl Seconds after the last write until the record is deleted, or a minute later: Deno KV looks now and then. By default
it stays.
@throws {ConfigError} if `kv`, `key`, `lease` or `ttl` cannot be used. The message names it.
@example
```ts
const auth = createAuth({tokenEndpoint, clientId, grant, store: denoKvStore(await Deno.openKv(), ['session'])});
```
*/
export function denoKvStore(
	kv: DenoKvLike,
	key: string | readonly DenoKvKeyPart[],
	options?: ExpiringStoreOptions,
): TokenStore {
	return sharedStore(denoKvDriver(kv, key, options));
}
