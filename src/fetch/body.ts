import type {Options} from 'ky';
import {ownProperty} from '../lib/own-properties.ts';

/** The Blob from which every request of a call is made. Null if the body can be read only once, undefined if the request is cloned. */
export type BodySource = Blob | null | undefined;

/**
Says how the body of a call can be resent. Node keeps in memory what a clone has not read, so a request with a Blob is not cloned, unless a
hook or a progress callback may have replaced the request.
*/
export function bodySourceOf(options: Pick<Options, 'body' | 'hooks' | 'onUploadProgress'>): BodySource {
	const body = ownProperty(options, 'body');
	const object = Object(body) as object;
	if ('getReader' in object || Symbol.asyncIterator in object) return null;
	const {beforeError: _, ...hooks} = options.hooks ?? {};
	// One of the hooks is ours.
	const changes = [options.onUploadProgress, Object.values(hooks)].flat(2);
	return body instanceof Blob && changes.filter(Boolean).length < 2 ? body : undefined;
}
