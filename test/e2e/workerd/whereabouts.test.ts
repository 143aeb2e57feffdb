import {describe, expect} from 'vitest';
import type {Journey} from '../../shared/whereabouts.ts';
import {startTwoServers} from '../../support/two-servers.ts';
import {compatibilityDates} from '../../support/workers.ts';
import {test} from '../../support/workers-test.ts';

/** The number of URLs and redirect chains for each date, and the seed: `TRIPS=100000 TRIPS_SEED=42 npx vitest run …` */
const count = Number(process.env['TRIPS'] ?? 2_000);
const seed = Number(process.env['TRIPS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const batch = 200;
const entry = 'test/e2e/workerd/whereabouts.ts';
const accessToken = 'token-that-goes-to-the-listed-origin';

describe.each(compatibilityDates)('where tokens go, in workerd at %s', compatibilityDate => {
	test.for([
		['whatever URL and whatever redirects are tried [R40, R42, F-136]', ''],
		['though the Worker has a document of its own [F-145]', 'with-document'],
	] as const)(
		'in workerd no token goes to an origin that is not listed, %s',
		{timeout: 120_000},
		async ([, path], {annotate, workersAt}) => {
			await annotate(`${count} trips, seed ${seed}`, 'seed');
			const {origins} = await workersAt({entry, compatibilityDate, isolates: 1});
			const {listed, unlisted, carried, close} = await startTwoServers();
			try {
				let answered = 0;
				for (let start = 0; start < count; start += batch) {
					const order = {listed, unlisted, accessToken, seed: seed + start, count: batch};
					const response = await fetch(`${origins[0]}/${path}`, {method: 'POST', body: JSON.stringify(order)});
					answered += ((await response.json()) as Journey).answered;
				}
				const {toListed, elsewhere} = carried(accessToken);
				expect(elsewhere).toEqual([]);
				// If only a few requests had reached the allowed server, the test would prove nothing.
				expect(toListed).toBeGreaterThan(count / 4);
				expect(answered).toBeGreaterThan(count / 4);
			} finally {
				await close();
			}
		},
	);
});
