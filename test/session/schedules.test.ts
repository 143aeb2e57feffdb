import * as fc from 'fast-check';
import * as copy from 'regrant';
import {describe, expect, test} from 'vitest';
import {holds} from '../support/property.ts';
import {type Script, scriptsOf, themes, unlocked} from '../support/schedule-themes.ts';
import {play} from '../support/schedules.ts';

// Each theme runs some hundred schedules here. `npm run chaos` runs 20,000.
describe('schedules of one session, with the server as referee', () => {
	test.for(themes.map(theme => [theme.title, theme] as const))('%s', {timeout: 120_000}, async ([, theme], context) => {
		const isRight = fc.asyncProperty(scriptsOf(theme), async script => {
			expect(await play(script, theme.isOfCopies ? copy : undefined)).toEqual([]);
		});
		await holds(isRight, context);
	});

	test('go wrong at once if holders have no lock, which shows that the referee looks', async () => {
		const isRight = fc.asyncProperty(scriptsOf(unlocked), async script => (await play(script)).length === 0);
		const {counterexample} = await fc.check(isRight, {numRuns: 100, endOnFailure: true});
		expect(await play((counterexample as [Script])[0])).toContainEqual(expect.stringContaining('used twice'));
	});
});
