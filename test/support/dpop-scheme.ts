import {calculateJwkThumbprint, decodeProtectedHeader} from 'jose';
import type {TokenScheme} from '../../src/index.ts';

/** Gives the thumbprint of the key that a scheme proves requests with: what a server binds tokens to. */
export async function thumbprintOf(scheme: TokenScheme): Promise<string> {
	const headers = new Headers();
	await scheme.apply({url: 'https://api.example/', method: 'GET', headers}, undefined);
	return calculateJwkThumbprint(decodeProtectedHeader(headers.get('dpop') ?? '').jwk ?? {});
}
