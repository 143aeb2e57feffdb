/** What one lane of the timeline has to show: one request, or one event of a session. */
export interface Report {
	/** Who did it, such as `this tab`. */
	readonly lane: string;
	readonly kind: 'call' | 'grant' | 'revocation' | 'event';
	/** Milliseconds since the epoch. An event has no length. */
	readonly start: number;
	readonly end: number;
	/** Of the answer; 0 where there was none. Undefined for an event. */
	readonly status?: number | undefined;
	/** For people. Tokens go by a fingerprint, so that none shows. */
	readonly text: string;
}

/** How it is drawn, and counted: the grants, the refusals, and what went well. */
export type Outcome = 'good' | 'refused' | 'failed' | 'grant' | 'event';

/** The outcome of a report. */
export function outcomeOf({kind, status = 0}: Report): Outcome {
	if (kind === 'event') return 'event';
	if (status === 401 && kind === 'call') return 'refused';
	if (status < 200 || status > 299) return 'failed';
	return kind === 'call' ? 'good' : 'grant';
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What a lane has done, in a line. */
export function summaryOf(reports: readonly Report[]): string {
	const count = (test: (report: Report) => boolean): number => reports.filter(test).length;
	const failures = count(({kind, status = 0}) => kind === 'call' && status !== 401 && (status < 200 || status > 299));
	const parts = [
		plural(
			count(({kind}) => kind === 'grant'),
			'grant',
		),
		`${count(({kind, status}) => kind === 'call' && status === 200)} × 200`,
		`${count(({kind, status}) => kind === 'call' && status === 401)} × 401`,
	];
	if (failures > 0) parts.push(`${failures} failed`);
	const failedGrants = count(({kind, status}) => kind === 'grant' && status !== 200);
	if (failedGrants > 0) parts.push(`${failedGrants} of the grants failed`);
	return parts.join(', ');
}
