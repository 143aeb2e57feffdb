import {describe, expect, test, vi} from 'vitest';
import {createBatch} from '../../playground/page/batch.ts';
import {createLines} from '../../playground/page/lines.ts';
import {boxOf, distance, type Frame} from '../../playground/page/mark.ts';
import {detailOf, outcomeOf, type Report, summaryOf} from '../../playground/page/report.ts';
import {createScale} from '../../playground/page/scale.ts';

const report = (changes: Partial<Report> = {}): Report => ({
	id: crypto.randomUUID(),
	lane: 'tab',
	who: 'tab 1',
	kind: 'call',
	start: 1_000,
	end: 1_020,
	status: 200,
	text: 'GET /accounts → 200',
	...changes,
});

describe('the scale of time', () => {
	test('makes one burst of what is close together, and cuts the pause short before what is not', () => {
		const scale = createScale();
		scale.include(1_000, 1_100);
		scale.include(1_300, 1_400);
		scale.include(61_000, 61_050);
		expect(scale.bursts()).toEqual([
			{start: 1_000, end: 1_400, offset: 0},
			{start: 61_000, end: 61_050, offset: 520},
		]);
		expect([1_000, 1_350, 61_000, 61_050].map(scale.place)).toEqual([0, 350, 520, 570]);
	});

	test('makes one of two bursts where something turns out to have taken all the time between', () => {
		const scale = createScale();
		scale.include(1_000, 1_000);
		scale.include(5_000, 5_100);
		scale.include(1_000, 5_050);
		expect(scale.bursts()).toEqual([{start: 1_000, end: 5_100, offset: 0}]);
	});

	test('shows no more than six bursts, and never less time than can be told apart', () => {
		const scale = createScale();
		expect(scale.span()).toBe(600);
		for (const second of [1, 3, 5, 7, 9, 11, 13]) scale.include(second * 1_000, second * 1_000 + 500);
		expect(scale.bursts().map(({start}) => start)).toEqual([3_000, 5_000, 7_000, 9_000, 11_000, 13_000]);
		expect(scale.burstOf(1_000)).toBeUndefined();
		expect(scale.span()).toBe(6 * 500 + 5 * 120);
		scale.clear();
		expect([scale.bursts(), scale.span()]).toEqual([[], 600]);
	});
});

describe('the lines of a lane', () => {
	test('are as many as what overlaps, and are used again', () => {
		const lines = createLines();
		expect([lines.take('a', 0), lines.take('b', 0)]).toEqual([0, 1]);
		lines.free('a', 10, true);
		expect([lines.take('c', 5), lines.take('d', 10), lines.count]).toEqual([2, 0, 3]);
	});

	test('stay with a call that comes again', () => {
		const lines = createLines();
		expect(lines.take('a', 0)).toBe(0);
		lines.free('a', 10, false);
		expect([lines.take('b', 20), lines.take('a', 30)]).toEqual([1, 0]);
		lines.clear();
		expect([lines.count, lines.take('b', 0)]).toEqual([0, 0]);
	});
});

describe('a mark', () => {
	const scale = createScale();
	scale.include(1_000, 2_000);
	const frame: Frame = {scale, width: 1_020, height: 122, lines: {calls: 40, grants: 1}};

	test('is as long as its request took, and lies on its line', () => {
		const box = boxOf({report: report({start: 1_500, end: 1_600}), line: 20}, frame);
		expect(box).toEqual({x: 510, y: 81, width: 100, height: 2});
		expect([distance(550, 81.5, box), distance(613, 81.5, box), distance(613, 87, box)]).toEqual([0, 3, 5]);
	});

	test('of a grant is a bar that can be seen however short it was, and of what is under way reaches to the end', () => {
		expect(boxOf({report: report({kind: 'grant', end: 1_000}), line: 0}, frame)).toEqual({
			x: 10,
			y: 24,
			width: 5,
			height: 17,
		});
		expect(boxOf({report: report({end: undefined, start: 1_900}), line: 0}, frame)).toMatchObject({x: 910, width: 100});
	});
});

describe('a report', () => {
	test('has an outcome for each status', () => {
		const outcomes = [200, 204, 401, 400, 503, 0].map(status => outcomeOf(report({status})));
		expect(outcomes).toEqual(['good', 'good', 'refused', 'failed', 'failed', 'failed']);
		expect(outcomeOf(report({end: undefined, status: undefined}))).toBe('open');
		expect(outcomeOf(report({kind: 'event', status: undefined}))).toBe('event');
	});

	test('tells its detail, and how long it took', () => {
		expect(detailOf(report())).toBe('tab 1, call: GET /accounts → 200, 20 ms');
		expect(detailOf(report({end: undefined, text: 'GET /accounts'}))).toBe('tab 1, call: GET /accounts, under way');
		expect(detailOf(report({kind: 'event', text: 'token (set)'}))).toBe('tab 1: token (set)');
	});

	test('is summed up with others, grants first', () => {
		expect(summaryOf([report({kind: 'event'})])).toEqual([]);
		const reports = [
			report(),
			report({status: 401}),
			report({kind: 'retry'}),
			report({status: 0}),
			report({end: undefined, status: undefined}),
			report({kind: 'grant'}),
			report({kind: 'grant', status: 400}),
			report({kind: 'revocation'}),
		];
		expect(summaryOf(reports)).toEqual([
			'2 grants',
			'2 × 200',
			'1 × 401',
			'1 failed',
			'1 of the grants failed',
			'1 revoked',
			'1 under way',
		]);
	});
});

describe('a batch', () => {
	test('goes after the one before it, and tells of a request that has ended no more than that', async () => {
		const sent: Array<readonly Report[]> = [];
		let release = (): void => {};
		const add = createBatch(async reports => {
			sent.push(reports);
			await new Promise<void>(resolve => {
				release = resolve;
			});
		});
		const [started, ended, late] = [report({id: 'a', end: undefined}), report({id: 'a'}), report({id: 'b'})];
		add(started);
		add(ended);
		await vi.waitFor(() => expect(sent).toEqual([[ended]]));
		add(late);
		release();
		await vi.waitFor(() => expect(sent).toEqual([[ended], [late]]));
		release();
	});
});
