import {setTimeout as sleep} from 'node:timers/promises';
import {Redis} from 'ioredis';
import {type RedisServer, startRedis} from './redis-server.ts';

/** A Redis cluster of two nodes. Each has one half of the slots. */
export interface RedisCluster {
	/** The URLs of the two nodes. */
	readonly urls: readonly [string, string];
	close(): Promise<void>;
}

/** Starts the cluster. */
export async function startRedisCluster(): Promise<RedisCluster> {
	const start = async (): Promise<RedisServer> => startRedis('--cluster-enabled', 'yes');
	const servers = [await start(), await start()] as const;
	const [first, second] = servers.map(({url}) => new Redis(url)) as [Redis, Redis]; // there are two servers
	await first.call('CLUSTER', 'ADDSLOTSRANGE', 0, 8191);
	await second.call('CLUSTER', 'ADDSLOTSRANGE', 8192, 16383);
	await first.call('CLUSTER', 'MEET', '127.0.0.1', new URL(servers[1].url).port);
	// Waits until both nodes know all slots, because they exchange this only from time to time.
	for (const one of [first, second]) {
		while (!(await one.cluster('INFO')).includes('cluster_state:ok')) await sleep(20);
		one.disconnect();
	}
	return {
		urls: [servers[0].url, servers[1].url],
		async close() {
			await Promise.all(servers.map(async ({close}) => close()));
		},
	};
}
