// Checks that `regrant/redis` accepts the clients of both packages, by the packages' own types.
import type {Cluster, Redis} from 'ioredis';
import type {
	createClient,
	createClientPool,
	createCluster,
	createSentinel,
	RedisClientPoolType,
	RedisClientType,
	RedisClusterType,
	RedisSentinelType,
} from 'redis';
import type {TokenStore} from '../../src/index.ts';
import {
	type ExpiringStoreOptions,
	type IoRedisClient,
	type LeaseOptions,
	type NodeRedisClient,
	redisStore,
} from '../../src/stores/redis.ts';

declare const created: ReturnType<typeof createClient>;
declare const connected: Awaited<ReturnType<ReturnType<typeof createClient>['connect']>>;
declare const named: RedisClientType;
declare const pool: RedisClientPoolType;
declare const createdPool: ReturnType<typeof createClientPool>;
declare const cluster: RedisClusterType;
declare const createdCluster: ReturnType<typeof createCluster>;
declare const sentinel: RedisSentinelType;
declare const createdSentinel: ReturnType<typeof createSentinel>;
declare const ioredis: Redis;
declare const ioredisCluster: Cluster;

export const expiring: ExpiringStoreOptions = {lease: 20_000, ttl: 86_400};
export const stores: readonly TokenStore[] = [
	redisStore(created, 'session'),
	redisStore(connected, 'session', {lease: 20_000}),
	redisStore(named, 'session'),
	redisStore(pool, 'session'),
	redisStore(createdPool, 'session'),
	redisStore(cluster, 'session'),
	redisStore(createdCluster, 'session'),
	redisStore(sentinel, 'session'),
	redisStore(createdSentinel, 'session'),
	redisStore(ioredis, 'session'),
	redisStore(ioredisCluster, 'session', expiring),
];
export const client: NodeRedisClient = created;
export const other: IoRedisClient = ioredis;
export const options: LeaseOptions = {lease: undefined};

// @ts-expect-error: what connect() gives must be awaited
redisStore(created.connect(), 'session');
// @ts-expect-error: no address
redisStore('redis://localhost', 'session');
// @ts-expect-error: a key is needed
redisStore(ioredis);
// @ts-expect-error: no such option
redisStore(ioredis, 'session', {timeout: 1});
