import type {ResponsePromise} from 'ky';
import {ResponseValidationError} from '../errors.ts';
import {check, type StandardSchema} from './standard-schema.ts';

/** The schemas of error bodies, by status. */
export type ErrorSchemas = {readonly [status: number]: StandardSchema};

/** The kinds of responses that are not JSON. */
export type ResponseKind = 'text' | 'blob' | 'arrayBuffer' | 'stream' | 'void';

/** How each kind is read. */
export const readers: Readonly<Record<ResponseKind, (pending: ResponsePromise) => Promise<unknown>>> = {
	text: pending => pending.text(),
	blob: pending => pending.blob(),
	arrayBuffer: pending => pending.arrayBuffer(),
	stream: async pending => (await pending).body ?? new Blob().stream(),
	// A body that nobody reads keeps its connection. `cancel` may never settle while a hook holds a clone, so do not wait for it.
	void: async pending => void (await pending).body?.cancel().catch(() => {}),
};

/**
Reads the body of a response, as the kind that the definition names. ky's shortcuts set the `accept` header of the request, and keep
`timeout` running while the body is read.

@throws {ResponseValidationError} for JSON that does not pass its schema.
@throws {SyntaxError} for what is not JSON. It quotes the body.
*/
export function readBody(pending: ResponsePromise, kind: StandardSchema | ResponseKind = 'void'): Promise<unknown> {
	if (typeof kind === 'string') return readers[kind](pending);
	return pending.json({
		'~standard': {
			...kind['~standard'],
			// ky runs it, so that `totalTimeout` covers an asynchronous schema, and an empty body is undefined.
			validate: async value => ({value: await check(kind, value, ResponseValidationError)}),
		},
	});
}
