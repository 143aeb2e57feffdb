import {readHeader} from './read-header.ts';

/**
How many milliseconds a server asks to wait, at most an hour. Undefined if it does not say. It may use the headers of better-auth and of Moov's
API too.

@param now Milliseconds since the epoch.
@see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
*/
export function retryDelay(headers: Headers, now: number): number | undefined {
	const delayOf = (name: string, unit = 1000): number => {
		const text = readHeader(headers, name);
		if (/^\d+$/.test(text)) return Number(text) * unit;
		// Only text that begins like a date, because `Date.parse` also parses `-5`. The form without a time zone is in UTC too.
		return /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text.replace(/(?: GMT)?$/, ' GMT')) - now : NaN;
	};
	const delays = [delayOf('retry-after'), delayOf('x-retry-after'), delayOf('x-retry-in', 1)];
	const delay = delays.find(milliseconds => milliseconds >= 0);
	return delay && Math.min(delay, 3_600_000);
}
