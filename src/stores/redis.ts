import {redisDriver, type IoRedisClient, type NodeRedisClient} from './redis-driver.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {ExpiringStoreOptions} from './shared/ttl.ts';
import type {TokenStore} from './token-cell.ts';

export type {IoRedisClient, NodeRedisClient} from './redis-driver.ts';
export type {LeaseOptions} from './shared/lease.ts';
export type {ExpiringStoreOptions} from './shared/ttl.ts';

/**
Keeps the token in Redis, for several servers on one session. One process at a time refreshes the token, under a lease that ends by
itself if the process crashes. Every write compares first, so a process that was stopped for longer than its lease overwrites nothing.

Two things can still lose a session. A process may crash, or be stopped for longer than its lease, after the server has rotated the
refresh token and before the new one is written. And Redis may forget: turn key eviction off and persistence on. A failover to a
replica that lags behind counts as forgetting.

Every call reads the record, since a subscription would need a connection of its own. Let the client fail while it has no connection
(`disableOfflineQueue: true`, or `enableOfflineQueue: false` for `ioredis`): otherwise calls wait for Redis, for as long as `timeout`.
An ACL user needs both keys, and the commands EVAL, GET, SET, DEL and PEXPIRE.

@param client A connected client of `redis` or `ioredis`, also of a cluster. Its `keyPrefix` applies.
@param key The key of the record. The key of the lease is `{key}:lease`, or `key:lease` if the key has a hash tag of its own.
@param options.lease Milliseconds for which a crashed process blocks a refresh. Not shorter than the `timeout` of the session. The
default is 15,000.
@param options.ttl Seconds after the last write until the record is deleted. By default it stays.
@throws {ConfigError} if the client, the key, `lease` or `ttl` cannot be used. The message names it.
@example
```ts
const client = await createClient({url: 'redis://localhost'}).connect();
const auth = createAuth({tokenEndpoint, clientId, grant, store: redisStore(client, 'session', {ttl: 30 * 86_400})});
```
*/
export function redisStore(
	client: NodeRedisClient | IoRedisClient,
	key: string,
	options?: ExpiringStoreOptions,
): TokenStore {
	return sharedStore(redisDriver(client, key, options));
}
