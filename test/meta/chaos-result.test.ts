import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {ActResult, ChaosResult} from '../chaos/result.ts';
import {addTo, type Counts, total} from '../chaos/counts.ts';
import {excuses} from '../chaos/ledger.ts';
import type {ScheduleResult} from '../chaos/schedules.ts';
import {findGrowth} from '../chaos/vitals.ts';
import {themes} from '../support/schedule-themes.ts';

// `npm run chaos` wrote this file. The test does not run it.
const result = JSON.parse(readFileSync('test/chaos/result.json', 'utf8')) as ChaosResult;
const {acts} = result;
const sum = (number: (act: ActResult) => number): number => acts.reduce((all, act) => all + number(act), 0);

describe('the result of the chaos that is kept', () => {
	test('the stored chaos result has at least 100,000 refreshes, and adds up', () => {
		expect(result.refreshes).toBeGreaterThanOrEqual(100_000);
		expect(result).toMatchObject({
			refreshes: sum(({refreshes}) => refreshes),
			calls: sum(({calls}) => calls),
			sessionsLost: sum(({sessionsLost}) => sessionsLost),
		});
		const why: Counts = {};
		for (const act of acts) {
			addTo(why, act.why);
			expect([act.name, act.calls]).toEqual([act.name, total(act.outcomes)]);
			expect(act.grants).toBeGreaterThanOrEqual(act.refreshes);
		}
		expect(result.why).toEqual(why);
	});

	test('the stored chaos result has no session that was lost without an excuse, and no complaint', () => {
		expect(result.sessionsLost).toBe(0);
		const known: readonly string[] = Object.values(excuses);
		expect(Object.keys(result.why).filter(reason => !known.includes(reason))).toEqual([]);
		expect(acts.flatMap(({complaints}) => Object.keys(complaints))).toEqual([]);
	});

	test('the stored chaos result has every fault that a session must survive', () => {
		const faults: Counts = {};
		for (const act of acts) addTo(faults, act.faults);
		for (const fault of [
			'process killed',
			'process stopped for longer than its lease',
			'tab closed',
			'object restarted',
			'realm replaced',
			'answer reset',
			'answer replaced by 502',
			'answer broken off',
			'answer after the deadline',
			'429 with Retry-After',
			'503',
		])
			expect(Object.keys(faults)).toContain(fault);
	});

	test('the stored chaos result has memory and handles that do not grow', () => {
		const vitals = acts.flatMap(act => act.vitals ?? []);
		const [first, last] = [vitals[0], vitals.at(-1)];
		expect(vitals.length).toBeGreaterThan(2);
		expect(first && last && findGrowth(first, last)).toEqual([]);
	});

	test('the stored chaos result is what README and CHANGELOG claim', () => {
		const prose = ['README.md', 'CHANGELOG.md'].map(path => readFileSync(path, 'utf8')).join('\n');
		const claims = [...prose.matchAll(/(\d[\d,]*)\srefreshes/g)].map(([, number = '']) =>
			Number(number.replaceAll(',', '')),
		);
		expect(claims.length).toBeGreaterThan(0);
		for (const claim of claims) {
			expect(claim).toBeLessThanOrEqual(result.refreshes);
			expect(claim).toBeGreaterThan(result.refreshes * 0.9);
		}
	});
});

describe('the schedules that were played last', () => {
	test('are 20,000 of each theme, and none went wrong', () => {
		const {themes: played} = JSON.parse(readFileSync('test/chaos/schedules.json', 'utf8')) as {
			readonly themes: readonly ScheduleResult[];
		};
		expect(played).toEqual(themes.map(({title}) => ({theme: title, schedules: expect.any(Number)})));
		for (const {schedules} of played) expect(schedules).toBeGreaterThanOrEqual(20_000);
	});
});
