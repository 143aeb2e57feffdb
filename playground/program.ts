import type {AuthEvent} from 'regrant';
import {describeEvent} from './page/event-text.ts';
import type {Lane} from './page/lane.ts';

/** A program that calls the API in a lane of its own. It starts when it is first used. */
export interface Program {
	/** Makes it call. Returns what became of the calls, or why the program cannot run here. */
	run(): Promise<string>;
	/** Ends its processes. */
	close(): Promise<void>;
}

/** Reports a line that a program logged. If it is an event of a session, the event is described. */
export function noteLog(lane: Lane, line: string): void {
	lane.note(eventTextOf(line) ?? line);
}

function eventTextOf(line: string): string | undefined {
	try {
		const logged: unknown = JSON.parse(line);
		if (typeof logged !== 'object' || logged === null || !('type' in logged)) return undefined;
		return describeEvent(logged as AuthEvent); // both programs log nothing else that has a type
	} catch {
		return undefined;
	}
}

/** Says how many of which outcome there are. */
export function countOutcomes(outcomes: readonly string[]): string {
	const counts = new Map<string, number>();
	for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
	return [...counts].map(([outcome, times]) => `${times} ${outcome}`).join(', ');
}

/** Says in plain words that a program cannot run here. */
export function explain(name: string, reason: string): string {
	return `${name} does not run here, all else does: ${reason}`;
}
