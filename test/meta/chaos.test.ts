import {describe, expect, test} from 'vitest';
import {reproaches} from '../chaos/ledger.ts';
import {runRealms} from '../chaos/realms.ts';

// The short one of `npm run chaos`.
const small = {refreshes: 300, sessions: 40, seconds: 20, rests: 2, timeout: 2_000};
const random = Math.floor(Math.random() * 2 ** 31);

describe('sessions in bad weather, with impatient callers and clocks that jump', () => {
	test.for([7, random])(
		'R58, R59, R68, R70, R71: are lost where an answer was lost, and nowhere else (npm run chaos -- --seed %i)',
		{timeout: 120_000},
		async seed => {
			const lines: string[] = [];
			const result = await runRealms({...small, seed, log: line => void lines.push(line)});
			expect([result.sessionsLost, result.complaints], lines.join('\n')).toEqual([0, {}]);
			expect(result.refreshes).toBeGreaterThan(50);
			expect(result.grants).toBeGreaterThan(result.refreshes);
		},
	);

	test('are lost at once without a lock, which shows that the referee looks', {timeout: 120_000}, async () => {
		const {sessionsLost, why} = await runRealms({
			...small,
			sessions: 10,
			refreshes: 50,
			rests: 1,
			seed: 1,
			isUnlocked: true,
		});
		expect(sessionsLost).toBeGreaterThan(0);
		expect(why).toHaveProperty(reproaches.twice);
	});
});
