import {calculateJwkThumbprint, decodeProtectedHeader} from 'jose';
import type {TokenScheme} from '../../src/index.ts';

/**
Returns the thumbprint of the key with which a scheme proves requests. A server binds tokens to it.

@param token The token of a call. Undefined for a token request.
*/
export async function thumbprintOf(scheme: TokenScheme, token?: string): Promise<string> {
	const headers = new Headers();
	await scheme.apply({url: 'https://api.example/', method: 'GET', headers}, token);
	return calculateJwkThumbprint(decodeProtectedHeader(headers.get('dpop') ?? '').jwk ?? {});
}
