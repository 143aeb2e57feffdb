import {setTimeout as sleep} from 'node:timers/promises';
import {Redis} from 'ioredis';
import {type RedisServer, startRedis} from './redis-server.ts';

/** A cluster of two, each with one half of the slots. */
export interface RedisCluster {
	/** The addresses of the two. */
	readonly urls: readonly [string, string];
	close(): Promise<void>;
}

/** Starts one. */
export async function startRedisCluster(): Promise<RedisCluster> {
	const start = async (): Promise<RedisServer> => startRedis('--cluster-enabled', 'yes');
	const servers = [await start(), await start()] as const;
	const [first, second] = servers.map(({url}) => new Redis(url)) as [Redis, Redis]; // as many
	await first.call('CLUSTER', 'ADDSLOTSRANGE', 0, 8191);
	await second.call('CLUSTER', 'ADDSLOTSRANGE', 8192, 16383);
	await first.call('CLUSTER', 'MEET', '127.0.0.1', new URL(servers[1].url).port);
	// They tell each other as time goes by, and nobody else.
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
