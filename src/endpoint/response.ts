import type {HTTPError, ResponsePromise} from 'ky';
import type {ErrorSchemas, ResponseKind} from './definition.ts';
import {ResponseValidationError} from '../errors.ts';
import {ownProperty} from '../lib/own-properties.ts';
import {check, type StandardSchema} from './standard-schema.ts';

/**
Reads the body of an answer as what it should be. It is by ky's shortcuts that a request says what it accepts, and that `timeout`
covers the body.

@throws {ResponseValidationError} for JSON that is none, or that does not pass.
*/
export async function readBody(pending: ResponsePromise, kind: StandardSchema | ResponseKind): Promise<unknown> {
	switch (kind) {
		case 'text':
		case 'blob':
		case 'arrayBuffer':
			return pending[kind]();
		case 'stream':
			return (await pending).body ?? new Blob().stream();
		case 'void':
			// An unread body keeps its connection. A clone that a hook holds may keep this from ever settling.
			(await pending).body?.cancel().catch(() => {});
			return undefined;
		default:
			return readJson(pending, kind);
	}
}

async function readJson(pending: ResponsePromise, schema: StandardSchema): Promise<unknown> {
	// Within ky, so that `totalTimeout` covers an asynchronous schema, and an empty body is undefined.
	const validate = async (given: unknown): Promise<{value: unknown}> => {
		const {value, issues} = await check(schema, given, '');
		if (issues) throw new ResponseValidationError(issues);
		return {value};
	};
	try {
		return await pending.json({'~standard': {version: 1, vendor: 'regrant', validate}});
	} catch (error) {
		// The parser quotes the body.
		if ((error as Error | undefined)?.name !== 'SyntaxError') throw error;
		throw new ResponseValidationError([{path: '', expected: 'JSON'}]);
	}
}

/** Replaces the body of an error by what the schema of its status makes of it. Says whether there is one and the body passed. */
export async function readErrorBody(error: HTTPError, schemas: ErrorSchemas): Promise<boolean> {
	const schema = ownProperty(schemas, error.response.status);
	if (!schema) return false;
	const {value, issues} = await check(schema, error.data, '');
	if (issues) return false;
	error.data = value;
	return true;
}
