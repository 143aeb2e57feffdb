import {Redis} from 'ioredis';
import {redisDriver} from '../../src/stores/redis-driver.ts';
import {startRedis} from '../support/redis-server.ts';
import {crowd, type CrowdOptions, loginTo} from './crowd.ts';
import type {Act} from './result.ts';

/** Eight processes with twenty callers each. Some are killed or stopped. */
export const run: Act = async ({seconds, seed, isUnlocked = false, log = () => {}, ...more}) => {
	const redis = await startRedis();
	const client = new Redis(redis.url);
	const lease = 2_000;
	const options: CrowdOptions = {
		store: seed % 2 === 0 ? 'redis' : 'ioredis',
		place: redis.url,
		lease,
		command: [process.execPath],
		login: loginTo(key => redisDriver(client, key, {lease})),
		holders: 8,
		callers: 20,
		isCruel: !isUnlocked,
		isFoul: !isUnlocked,
		seconds,
		seed,
		isUnlocked,
		log,
		...more,
	};
	try {
		return await crowd(options);
	} finally {
		client.disconnect();
		await redis.close();
	}
};
