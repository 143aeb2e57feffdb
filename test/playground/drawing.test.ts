import {describe, expect, test} from 'vitest';
import {createBatch} from '../../playground/page/batch.ts';
import {createLines} from '../../playground/page/drawing/lines.ts';
import {boxOf, distance, type Frame, rowsOf} from '../../playground/page/drawing/mark.ts';
import {stepOf} from '../../playground/page/drawing/step.ts';
import {createLane} from '../../playground/page/lane.ts';
import {createRecording} from '../../playground/page/recording.ts';
import {detailOf, outcomeOf, type Report, summaryOf} from '../../playground/page/report.ts';
import {fillIn} from '../../playground/page/stage/outcome.ts';
import {verdictOf} from '../../playground/page/verdict.ts';
import {createScale} from '../../playground/page/drawing/scale.ts';

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
	test('the time scale joins events that are close together into one burst, and shortens the pauses between bursts', () => {
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

	test('the time scale joins two bursts if a request lasted from one to the other', () => {
		const scale = createScale();
		scale.include(1_000, 1_000);
		scale.include(5_000, 5_100);
		scale.include(1_000, 5_050);
		expect(scale.bursts()).toEqual([{start: 1_000, end: 5_100, offset: 0}]);
	});

	test('the time scale shows at most six bursts, and never so little time that requests cannot be told apart', () => {
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
	test('a lane has as many lines as requests overlap, and uses them again', () => {
		const lines = createLines();
		expect([lines.take('a', 0), lines.take('b', 0)]).toEqual([0, 1]);
		lines.free('a', 10, true);
		expect([lines.take('c', 5), lines.take('d', 10), lines.count]).toEqual([2, 0, 3]);
	});

	test('a call that is resent stays on its line', () => {
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
	const frame: Frame = {scale, width: 1_068, height: 122, lines: {calls: 40, grants: 1}};

	test('a mark is as long as its request took, and lies on its line', () => {
		const box = boxOf({report: report({start: 1_500, end: 1_600}), line: 20}, frame);
		expect(box).toEqual({x: 558, y: 80, width: 100, height: 2});
		expect([distance(600, 80.5, box), distance(661, 80.5, box), distance(661, 86, box)]).toEqual([0, 3, 5]);
	});

	test('the mark of a token request is visible, however short it was', () => {
		const grant = {report: report({kind: 'grant', end: 1_000}), line: 0};
		expect(boxOf(grant, frame)).toEqual({x: 58, y: 20, width: 5, height: 16});
	});

	test('the mark of one token request is a high bar, and forty get a line each', () => {
		const rows = [1, 40].map(grants => rowsOf({height: 122, lines: {calls: 40, grants}}).grants.height);
		expect(rows).toEqual([16, expect.closeTo(0.42 * 102)]);
	});

	test('the mark of a request under way reaches to the end of the burst', () => {
		expect(boxOf({report: report({end: undefined, start: 1_900}), line: 0}, frame)).toMatchObject({x: 958, width: 100});
	});
});

describe('a report', () => {
	test('each status has an outcome', () => {
		const outcomes = [200, 204, 400, 503, 0].map(status => outcomeOf(report({status})));
		expect(outcomes).toEqual(['good', 'good', 'failed', 'failed', 'failed']);
		expect(outcomeOf(report({end: undefined, status: undefined}))).toBe('open');
		expect(outcomeOf(report({kind: 'event', status: undefined}))).toBe('event');
		expect(outcomeOf(report({kind: 'grant', status: 401}))).toBe('failed');
	});

	test('a report of a 401 is pale until the caller gets it', () => {
		const outcomes = [undefined, 'response', 'error'] as const;
		expect(outcomes.map(caller => outcomeOf(report({status: 401, caller})))).toEqual(['retried', 'refused', 'failed']);
	});

	test('a report says what was sent, what came back and how long it took', () => {
		expect(detailOf(report())).toBe('tab 1, call: GET /accounts → 200, 20 ms');
		expect(detailOf(report({end: undefined, text: 'GET /accounts'}))).toBe('tab 1, call: GET /accounts, under way');
		expect(detailOf(report({kind: 'grant', text: 'POST /token → 200'}))).toBe(
			'tab 1, token request: POST /token → 200, 20 ms',
		);
		expect(detailOf(report({kind: 'event', text: 'token (set)'}))).toBe('tab 1: token (set)');
	});

	test('a summary of many reports begins with the token requests', () => {
		expect(summaryOf([report({kind: 'event'})])).toEqual([]);
		const reports = [
			report(),
			report({status: 401}),
			report({kind: 'retry'}),
			report({kind: 'retry', status: 401, caller: 'response'}),
			report({status: 0}),
			report({end: undefined, status: undefined}),
			report({kind: 'grant'}),
			report({kind: 'grant', status: 400}),
			report({kind: 'revocation'}),
		];
		expect(summaryOf(reports)).toEqual([
			'2 token requests',
			'1 refused or failed',
			'2 answered',
			'1 retried after a 401',
			'1 × 401 to the caller',
			'1 failed',
			'1 revoked',
			'1 under way',
		]);
	});
});

describe('a lane', () => {
	test('a lane draws a call by what its caller got: on its last request, or as one that was not sent', () => {
		const reports: Report[] = [];
		const call = createLane('tab', 'tab 1', next => void reports.push(next)).startCall();
		call.settle('error');
		expect(reports).toEqual([expect.objectContaining({kind: 'call', caller: 'error', status: 0, text: 'not sent'})]);
	});

	test('a lane sends nothing while it is offline', async () => {
		const reports: Report[] = [];
		const lane = createLane('tab', 'tab 1', next => void reports.push(next));
		lane.setOffline(true);
		const call = lane.startCall();
		await expect(call.fetch('http://127.0.0.1:1/accounts')).rejects.toThrow('Failed to fetch');
		call.settle('error');
		expect(reports.map(outcomeOf)).toEqual(['open', 'failed', 'failed']);
		expect(new Set(reports.map(({id}) => id)).size).toBe(1);
	});
});

describe('a verdict', () => {
	const outcomes = (answered: number, failed: number): Map<string, number> =>
		new Map([...(answered > 0 ? [['answered 200', answered] as const] : []), ['answered 401', failed]]);
	const grants = (...statuses: readonly number[]): Report[] => statuses.map(status => report({kind: 'grant', status}));

	test.for([
		[grants(200), outcomes(40, 0), true, '1 refresh · 40 calls answered · Ann is still signed in'],
		[grants(200, 400, 400), outcomes(0, 40), false, '3 refreshes, 2 refused · Ann is signed out'],
		[grants(503, 200), outcomes(1, 2), true, '2 refreshes, 1 failed · 1 of 3 calls answered · Ann is still signed in'],
		[grants(0, 400), outcomes(1, 0), false, '2 refreshes, 1 refused, 1 failed · 1 call answered · Ann is signed out'],
		[[report()], outcomes(1, 0), true, 'no refresh · 1 call answered · Ann is still signed in'],
	] as const)('a verdict counts refreshes and answered calls: %#', ([reports, outcomes, isSignedIn, expected]) => {
		expect(verdictOf({reports, outcomes, isSignedIn})).toBe(expected);
	});
});

describe('a recording', () => {
	test('a recording keeps the last report of each request, and draws no more once it is stopped', () => {
		const drawn: Report[] = [];
		const recording = createRecording(next => void drawn.push(next));
		const [begun, ended] = [report({id: 'a', end: undefined}), report({id: 'a'})];
		recording.add(begun);
		recording.add(ended);
		recording.stop();
		recording.add(report({id: 'b'}));
		expect([recording.reports(), drawn]).toEqual([[ended], [begun, ended]]);
	});
});

describe('the text of a trouble', () => {
	test('the text of a trouble has the numbers of the run', () => {
		expect(fillIn('{failed} calls failed for {seconds} s', {failed: 40, seconds: '1.2'})).toBe(
			'40 calls failed for 1.2 s',
		);
	});
});

describe('a key', () => {
	test('an arrow key steps through the marks, and stops at the ends', () => {
		const keys = ['ArrowRight', 'ArrowLeft', 'PageUp', 'PageDown', 'Home', 'End', 'a'];
		expect(keys.map(key => stepOf(key, 3, 8))).toEqual([4, 2, 7, 0, 0, 7, undefined]);
		expect(stepOf('Home', -1, 0)).toBeUndefined();
	});
});

describe('a batch', () => {
	test('a batch of reports follows the one before, and says of an ended request only that it ended', async () => {
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
		await expect.poll(() => sent).toEqual([[ended]]);
		add(late);
		release();
		await expect.poll(() => sent).toEqual([[ended], [late]]);
		release();
	});
});
