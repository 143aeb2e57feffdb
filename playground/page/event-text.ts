import type {AuthEvent} from 'regrant';

/** What of an event of a session is shown. An error may have come as JSON. */
export function describeEvent(event: AuthEvent): string {
	switch (event.type) {
		case 'token':
			return `token (${event.cause})`;
		case 'session-ended':
			return `session-ended (${event.reason})`;
		case 'refresh-failed':
		case 'store-failed':
			return `${event.type} (${event.error.code})`;
		default:
			return event satisfies never;
	}
}
