import type {KyInstance} from 'ky';
import {isRegrantError, SessionEndedError} from 'regrant';
import type {Lane} from './lane.ts';

/** The outcomes of calls: how many calls had each outcome. */
export type Outcomes = ReadonlyMap<string, number>;

const answered = (status: number): string => `answered ${status}`;

/** Sends calls at once and waits for all of them. `signal` aborts them. */
export async function send(api: KyInstance, lane: Lane, count: number, signal?: AbortSignal): Promise<Outcomes> {
	const one = async (): Promise<string> => {
		const call = lane.startCall();
		try {
			const options = {throwHttpErrors: false, fetch: call.fetch, ...(signal && {signal})};
			const {status} = await api.get('accounts', options);
			call.settle('response');
			return answered(status);
		} catch (error) {
			call.settle('error');
			return reasonOf(error);
		}
	};
	const outcomes = new Map<string, number>();
	for (const outcome of await Promise.all(Array.from({length: count}, one))) {
		outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	}
	return outcomes;
}

/** Gives the number of calls that were answered 200. */
export const countAnswered = (outcomes: Outcomes): number => outcomes.get(answered(200)) ?? 0;

/** Gives the number of calls that failed with an error. */
export function countFailed(outcomes: Outcomes): number {
	const counts = [...outcomes].map(([outcome, times]) => (outcome.startsWith('answered ') ? 0 : times));
	return counts.reduce((sum, times) => sum + times, 0);
}

/** Adds up the outcomes of several groups of calls. */
export function sumOutcomes(groups: readonly Outcomes[]): Outcomes {
	const sum = new Map<string, number>();
	for (const [outcome, times] of groups.flatMap(group => [...group])) {
		sum.set(outcome, (sum.get(outcome) ?? 0) + times);
	}
	return sum;
}

/** Says what became of calls: `40 sent: 40 answered 200`. */
export function describeOutcomes(outcomes: Outcomes): string {
	const count = [...outcomes.values()].reduce((sum, times) => sum + times, 0);
	return `${count} sent: ${[...outcomes].map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`;
}

/**
Makes one more call. Returns true if its answer shows that the user is signed in.

@throws the error of the call, unless it says that the session is over.
*/
export async function isSignedIn(api: KyInstance): Promise<boolean> {
	try {
		return (await api.get('accounts', {throwHttpErrors: false})).ok;
	} catch (error) {
		if (error instanceof SessionEndedError) return false;
		throw error;
	}
}

/** Gives the name of an error, and its code where it has one. */
export function reasonOf(error: unknown): string {
	if (isRegrantError(error)) return `${error.name} (${error.code})`;
	return error instanceof Error ? error.name : 'failed';
}
