import type {Report} from './report.ts';

const pause = 50;

/**
Passes reports on in batches, one after another, since a thousand calls make thousands of reports. If a request ends before its
start was passed on, only the end is.
*/
export function createBatch(send: (reports: readonly Report[]) => unknown): (report: Report) => void {
	const waiting = new Map<string, Report>();
	let isBusy = false;
	const flush = async (): Promise<void> => {
		while (waiting.size > 0) {
			await new Promise(resolve => setTimeout(resolve, pause));
			const reports = [...waiting.values()];
			waiting.clear();
			await send(reports);
		}
		isBusy = false;
	};
	return report => {
		waiting.set(report.id, report);
		if (isBusy) return;
		isBusy = true;
		void flush();
	};
}
