import {ownProperty} from '../lib/own-properties.ts';

/** The Blob from which every request of a call is made. Undefined if the body can be read only once, null if the request is cloned. */
export type BodySource = Blob | undefined | null;

/** What is read of the options of a call of ky. */
interface BodyOptions {
	readonly body?: unknown;
	readonly hooks?: object | undefined;
	readonly onUploadProgress?: unknown;
}

/**
Says how the body of a call can be resent. Node keeps in memory what a clone has not read, so a request with a Blob is not cloned, unless a
hook or a progress callback may have replaced the request.
*/
export function bodySourceOf(options: BodyOptions): BodySource {
	const body = ownProperty(options, 'body');
	const object = Object(body) as object;
	if ('getReader' in object || Symbol.asyncIterator in object) return undefined;
	// One of the hooks is ours.
	const isPlain = Object.values(options.hooks ?? {}).flat().length < 2 && !options.onUploadProgress;
	return isPlain && body instanceof Blob ? body : null;
}
