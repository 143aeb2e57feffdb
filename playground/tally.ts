import {readParameters} from './recorder.ts';

/** How many calls are made at once. */
export const crowd = 40;

/** How often each thing happened at a server. A missing entry did not happen. */
export type Tally = Readonly<Record<string, number>>;

/** What a test server knows about its own requests. */
export interface Witness {
	readonly tokenRequests: ReadonlyArray<{
		readonly headers: Readonly<Record<string, string>>;
		readonly body: string;
		readonly status: number;
	}>;
	readonly calls: ReadonlyArray<{readonly status: number}>;
	readonly referee: {verdict(): void};
}

/** Returns what a server counted. The server decides, not the client. */
export function tallyOf({tokenRequests, calls, referee}: Witness): Tally {
	const tally: Record<string, number> = {};
	const count = (what: string): void => void (tally[what] = (tally[what] ?? 0) + 1);
	for (const {headers, body, status} of tokenRequests) {
		count(`${readParameters(headers['content-type'], body).get('grant_type')} grant answered ${status}`);
	}
	for (const {status} of calls) count(`call answered ${status}`);
	if (isLost(referee)) count('session lost');
	return tally;
}

/** Writes a tally as text. */
export function describeTally(tally: Tally): string {
	const parts = Object.entries(tally).map(([what, times]) => `${times} × ${what}`);
	return `The server counted ${parts.join(', ')}.`;
}

/** Says in a sentence how the server's counts differ from the expected ones. Undefined if they do not. */
export function findFault(expected: Tally, counted: Tally): string | undefined {
	const faults = [...new Set([...Object.keys(expected), ...Object.keys(counted)])]
		.filter(what => (expected[what] ?? 0) !== (counted[what] ?? 0))
		.map(what => `${counted[what] ?? 0} × "${what}" where ${expected[what] ?? 0} was right`);
	return faults.length > 0 ? `The server counted ${faults.join(', and ')}.` : undefined;
}

function isLost(referee: Witness['referee']): boolean {
	try {
		referee.verdict();
		return false;
	} catch {
		return true;
	}
}
