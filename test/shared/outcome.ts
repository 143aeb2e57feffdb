import {type AuthEvent, isRegrantError} from 'regrant';

/** Returns the reason of a rejected promise. */
export const reasonOf = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => {
			throw new Error('should have failed');
		},
		(reason: unknown) => reason,
	);

/** Describes an error: its class, and its code or reason. */
export const nameOf = (error: unknown): string => {
	const {name, code, reason} = Object(error) as {name?: string; code?: string; reason?: string};
	return isRegrantError(error) ? `${name} ${reason ?? code}` : String(name);
};

/** Describes each event in one or two words. */
export const gist = (events: readonly AuthEvent[]): string[] =>
	events.map(event => {
		if (event.type === 'token') return `token ${event.cause}`;
		if (event.type === 'status') return `status ${event.status}`;
		return `${event.type} ${event.type === 'session-ended' ? event.reason : event.error.code}`;
	});
