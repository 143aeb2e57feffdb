import {isFailedGrant, type Report} from './report.ts';

/** Collects the reports of one run, until it is stopped. */
export interface Recording {
	/** Takes a report in, and passes it on to the drawing. */
	add(report: Report): void;
	/** From now on, reports are neither kept nor drawn. */
	stop(): void;
	/** The last report of each request and event so far, in the order in which they began. */
	reports(): readonly Report[];
}

/** Creates a recording that passes on what it keeps. */
export function createRecording(draw: (report: Report) => void): Recording {
	const reports = new Map<string, Report>();
	let isStopped = false;
	return {
		add(report) {
			if (isStopped) return;
			reports.set(report.id, report);
			draw(report);
		},
		stop() {
			isStopped = true;
		},
		reports: () => [...reports.values()],
	};
}

/** Gives the token requests among reports. */
export const grantsOf = (reports: readonly Report[]): readonly Report[] => reports.filter(({kind}) => kind === 'grant');

/** Gives the token requests that were refused: the server answered that it does not accept them. */
export const refusedOf = (reports: readonly Report[]): readonly Report[] =>
	reports.filter(report => isFailedGrant(report) && isRefusal(report.status));

const isRefusal = (status = 0): boolean => status >= 400 && status < 500;
