import {Cluster, Redis} from 'ioredis';
import {createClient, createClientPool, createCluster, RESP_TYPES} from 'redis';
import type {IoRedisClient, NodeRedisClient} from '../../src/stores/redis.ts';

/** A connected client of one kind, from one of the two packages. */
export interface Connected {
	readonly client: NodeRedisClient | IoRedisClient;
	/** Closes the connection at once. */
	close(): void;
}

const prefix = 'of the client:';

/** How to connect each kind of client. Without a connection, its commands fail at once. */
const kinds = {
	redis: async url => {
		const client = createClient({url, disableOfflineQueue: true});
		client.on('error', () => {});
		await client.connect();
		return {client, close: () => client.destroy()};
	},
	'redis, RESP3 and bytes': async url => {
		const client = createClient({
			url,
			RESP: 3,
			disableOfflineQueue: true,
			commandOptions: {typeMapping: {[RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String}},
		});
		client.on('error', () => {});
		await client.connect();
		return {client, close: () => client.destroy()};
	},
	'redis, a pool': async url => {
		const client = createClientPool({url, disableOfflineQueue: true}, {minimum: 2});
		client.on('error', () => {});
		await client.connect();
		return {client, close: () => client.destroy()};
	},
	'redis, a cluster': async url => {
		const client = createCluster({rootNodes: [{url}], useReplicas: true});
		client.on('error', () => {});
		await client.connect();
		return {client, close: () => client.destroy()};
	},
	ioredis: async url => {
		const client = new Redis(url, {retryStrategy: () => null, maxRetriesPerRequest: 0});
		client.on('error', () => {});
		await client.ping();
		return {client, close: () => client.disconnect()};
	},
	'ioredis, RESP3, a prefix and numbers as texts': async url => {
		const client = new Redis(url, {protocol: 3, keyPrefix: prefix, stringNumbers: true, maxRetriesPerRequest: 0});
		client.on('error', () => {});
		await client.ping();
		return {client, close: () => client.disconnect()};
	},
	'ioredis, a cluster': async url => {
		const client = new Cluster([url], {scaleReads: 'all', clusterRetryStrategy: () => null});
		client.on('error', () => {});
		await client.ping();
		return {client, close: () => client.disconnect()};
	},
} as const satisfies Readonly<Record<string, (url: string) => Promise<Connected>>>;

/** The name of a kind of client. */
export type ClientKind = keyof typeof kinds;
/** The names of all kinds. */
export const clientKinds = Object.keys(kinds) as ClientKind[];
/** Returns the key as the server sees it, with the client's prefix. */
export const keyOf = (kind: ClientKind, key: string): string => (kind.includes('prefix') ? prefix + key : key);
/** Connects a client of this kind. */
export const connectClient = async (kind: ClientKind, url: string): Promise<Connected> => kinds[kind](url);
