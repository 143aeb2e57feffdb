/** The lanes of the timeline: the tabs of the page, the usual recipe, the two programs, and what is done to the server. */
export type LaneName = 'tab' | 'recipe' | 'worker' | 'deno' | 'server';

/** What a lane has to show: one request, or one event. */
export interface Report {
	/** A later report of the same id takes the place of the earlier. */
	readonly id: string;
	readonly lane: LaneName;
	/** Which of those who share the lane: `tab 2`, `isolate 1`. */
	readonly who: string;
	readonly kind: 'call' | 'retry' | 'grant' | 'revocation' | 'event';
	/** Milliseconds since the epoch. An event has no length. */
	readonly start: number;
	/** Undefined while it is under way. */
	readonly end?: number | undefined;
	/** Of the answer; 0 where there was none. Undefined for an event, and while it is under way. */
	readonly status?: number | undefined;
	/** What a call and its retry have in common, where it is known. */
	readonly call?: string | undefined;
	/** For people. Tokens go by a fingerprint, so that none shows. */
	readonly text: string;
}

/** How it is drawn, and counted. */
export type Outcome = 'open' | 'good' | 'refused' | 'failed' | 'event';

/** The outcome of a report. */
export function outcomeOf({kind, end, status = 0}: Report): Outcome {
	if (kind === 'event') return 'event';
	if (end === undefined) return 'open';
	if (status >= 200 && status <= 299) return 'good';
	return status === 401 ? 'refused' : 'failed';
}

/** Whether it went to the API, first or again. */
export const isCall = ({kind}: Report): boolean => kind === 'call' || kind === 'retry';

/** What a lane has done, in a line whose first part is its grants. */
export function summaryOf(reports: readonly Report[]): string[] {
	const requests = reports.filter(({kind}) => kind !== 'event');
	if (requests.length === 0) return [];
	const count = (test: (report: Report) => boolean): number => requests.filter(test).length;
	const grants = count(({kind}) => kind === 'grant');
	const others: ReadonlyArray<readonly [number, string]> = [
		[count(report => isCall(report) && outcomeOf(report) === 'good'), '× 200'],
		[count(report => isCall(report) && outcomeOf(report) === 'refused'), '× 401'],
		[count(report => isCall(report) && outcomeOf(report) === 'failed'), 'failed'],
		[count(({kind, status}) => kind === 'grant' && status !== undefined && status !== 200), 'of the grants failed'],
		[count(({kind}) => kind === 'revocation'), 'revoked'],
		[count(({end}) => end === undefined), 'under way'],
	];
	const parts = others.filter(([times]) => times > 0).map(([times, what]) => `${times} ${what}`);
	return [`${grants} ${grants === 1 ? 'grant' : 'grants'}`, ...parts];
}

/** All of a report, for who hovers over it, steps through it or reads the list. */
export function detailOf({who, start, end, kind, text}: Report): string {
	if (kind === 'event') return `${who}: ${text}`;
	return `${who}, ${kind}: ${text}, ${end === undefined ? 'under way' : `${end - start} ms`}`;
}
