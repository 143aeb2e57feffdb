import type {AuthEvent} from 'regrant';

/** Describes what the page shows of a session's event. The event may have come as JSON. */
export function describeEvent(event: AuthEvent): string {
	switch (event.type) {
		case 'token':
			return `token (${event.cause})`;
		case 'session-ended':
			return `session-ended (${event.reason})`;
		case 'refresh-failed':
		case 'store-failed':
			return `${event.type} (${event.error.code})`;
		case 'status':
			return `status (${event.status})`;
		default:
			return event satisfies never;
	}
}
