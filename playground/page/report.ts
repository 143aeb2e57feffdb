/**
The lanes in which requests are drawn: the two sides of the comparison, this tab, the other tab of the stage, the two
programs, and what is done to the server or to the network.
*/
export type LaneName = 'regrant' | 'recipe' | 'tab' | 'other' | 'worker' | 'deno' | 'server';

/** What a lane has to show: one request, or one event. */
export interface Report {
	/** A later report replaces an earlier one with the same id. */
	readonly id: string;
	readonly lane: LaneName;
	/** Which of those that share the lane: `tab 2` or `isolate 1`, for example. */
	readonly who: string;
	readonly kind: 'call' | 'retry' | 'grant' | 'revocation' | 'event';
	/** Milliseconds since the epoch. An event has no length. */
	readonly start: number;
	/** Undefined while the request is under way. */
	readonly end?: number | undefined;
	/** The status of the answer; 0 if there was none. Undefined for an event, and while the request is under way. */
	readonly status?: number | undefined;
	/** The same for a call and its retry. Undefined where only single requests can be seen. */
	readonly call?: string | undefined;
	/** What the caller got in the end. Only the last request of a call has it. */
	readonly caller?: 'response' | 'error' | undefined;
	/** The text for people. It names tokens by a fingerprint, so that none is shown. */
	readonly text: string;
}

/** How a report is drawn and counted. `retried` is a 401 that the caller did not see, `refused` is one that the caller got. */
export type Outcome = 'open' | 'good' | 'retried' | 'refused' | 'failed' | 'event';

/** Gives the outcome of a report. */
export function outcomeOf(report: Report): Outcome {
	const {kind, end, status = 0, caller} = report;
	if (kind === 'event') return 'event';
	if (end === undefined) return 'open';
	if (status >= 200 && status <= 299) return 'good';
	if (!isCall(report) || status !== 401 || caller === 'error') return 'failed';
	return caller === 'response' ? 'refused' : 'retried';
}

/** True for a request to the API, whether it is the first of its call or the retry. */
export const isCall = ({kind}: Report): boolean => kind === 'call' || kind === 'retry';

/** True for a token request that is over and brought no token. */
export const isFailedGrant = (report: Report): boolean => report.kind === 'grant' && outcomeOf(report) === 'failed';

/** Sums up what a lane has done. The token requests come first. */
export function summaryOf(reports: readonly Report[]): string[] {
	const requests = reports.filter(({kind}) => kind !== 'event');
	if (requests.length === 0) return [];
	const count = (test: (report: Report) => boolean): number => requests.filter(test).length;
	const countCalls = (outcome: Outcome): number => count(report => isCall(report) && outcomeOf(report) === outcome);
	const grants = count(({kind}) => kind === 'grant');
	const others: ReadonlyArray<readonly [number, string]> = [
		[count(isFailedGrant), 'refused or failed'],
		[countCalls('good'), 'answered'],
		[countCalls('retried'), 'retried after a 401'],
		[countCalls('refused'), '× 401 to the caller'],
		[countCalls('failed'), 'failed'],
		[count(({kind}) => kind === 'revocation'), 'revoked'],
		[count(({end}) => end === undefined), 'under way'],
	];
	const parts = others.filter(([times]) => times > 0).map(([times, what]) => `${times} ${what}`);
	return [`${grants} token ${grants === 1 ? 'request' : 'requests'}`, ...parts];
}

/** Describes a report completely, for users who point at its mark, step to it or read the list. */
export function detailOf({who, start, end, kind, text}: Report): string {
	if (kind === 'event') return `${who}: ${text}`;
	const name = kind === 'grant' ? 'token request' : kind;
	return `${who}, ${name}: ${text}, ${end === undefined ? 'under way' : `${end - start} ms`}`;
}
