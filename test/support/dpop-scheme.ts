import {calculateJwkThumbprint, decodeProtectedHeader} from 'jose';
import type {TokenScheme} from '../../src/index.ts';

/**
Gives the thumbprint of the key that a scheme proves requests with: what a server binds tokens to.

@param token The token of a call. A token request has none.
*/
export async function thumbprintOf(scheme: TokenScheme, token?: string): Promise<string> {
	const headers = new Headers();
	await scheme.apply({url: 'https://api.example/', method: 'GET', headers}, token);
	return calculateJwkThumbprint(decodeProtectedHeader(headers.get('dpop') ?? '').jwk ?? {});
}
