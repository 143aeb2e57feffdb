import {describe, expect} from 'vitest';
import {createTrips, travel} from '../shared/whereabouts.ts';
import {test} from '../support/test.ts';
import {startTwoServers} from '../support/two-servers.ts';

/** The number of URLs and redirect chains to try, and the seed: `TRIPS=100000 TRIPS_SEED=42 npx vitest run …` */
const count = Number(process.env['TRIPS'] ?? 3_000);
const seed = Number(process.env['TRIPS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('where tokens go, on Node', () => {
	test(
		'on Node no token goes to an origin that is not listed, whatever URLs and redirects are tried [R40, R42, F-136]',
		{timeout: 120_000},
		async ({annotate}) => {
			await annotate(`${count} trips, seed ${seed}`, 'seed');
			const servers = await startTwoServers();
			try {
				const accessToken = 'token-that-goes-to-the-listed-origin';
				const {answered, refused} = await travel(servers, accessToken, createTrips(servers, seed, count));
				const {toListed, elsewhere} = servers.carried(accessToken);
				expect(elsewhere).toEqual([]);
				expect(answered + refused).toBe(count);
				// Without these three checks, the test would also pass if no request was sent.
				expect(toListed).toBeGreaterThan(count / 4);
				expect(answered).toBeGreaterThan(count / 4);
				expect(refused).toBeGreaterThan(count / 10);
			} finally {
				await servers.close();
			}
		},
	);
});
