import type {KyInstance} from 'ky';
import {isRegrantError} from 'regrant';
import type {Lane} from './lane.ts';

/** Makes calls at once, in a lane, and tells what became of them. */
export async function send(api: KyInstance, lane: Lane, count: number, signal: AbortSignal): Promise<string> {
	const options = {throwHttpErrors: false, signal};
	const calls = Array.from({length: count}, () => api.get('accounts', {...options, fetch: lane.fetchOfCall()}));
	const outcomes = new Map<string, number>();
	for (const call of await Promise.allSettled(calls)) {
		const outcome = call.status === 'fulfilled' ? `answered ${call.value.status}` : reasonOf(call.reason);
		outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	}
	return `${count} sent: ${[...outcomes].map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`;
}

/** The name of an error, and its code. */
export function reasonOf(error: unknown): string {
	if (isRegrantError(error)) return `${error.name} (${error.code})`;
	return error instanceof Error ? error.name : 'failed';
}
