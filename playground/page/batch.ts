import type {Report} from './report.ts';

const pause = 50;

/**
Passes reports on together, since a thousand calls are two thousand reports, and one batch after the other. Of a request
that ends before its start was told, the end alone is told.
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
