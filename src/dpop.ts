import {type DpopAlgorithm, type DpopKeyPair, isKeyPair} from './dpop/key-pair.ts';
import {createKeySource} from './dpop/key-source.ts';
import type {DpopKeyStore} from './dpop/key-store.ts';
import {signJwt} from './jwt/sign-jwt.ts';
import {aFunction, oneOf, readOptions, type Rules} from './lib/read-options.ts';
import {readHeader} from './lib/read-header.ts';
import {sha256} from './lib/sha256.ts';
import {challengesOf} from './lib/www-authenticate.ts';
import type {SchemeResponse, TokenScheme} from './token/token-scheme.ts';

export type {DpopAlgorithm, DpopKeyPair} from './dpop/key-pair.ts';
export type {DpopKeyStore} from './dpop/key-store.ts';
export type {WebCryptoKey} from './jwt/sign-jwt.ts';
export type {SchemeRequest, SchemeResponse, TokenScheme} from './token/token-scheme.ts';

/** Options of `dpop()`: which key signs the proofs. */
export interface DpopOptions {
	/**
	The key pair: ECDSA on P-256, or Ed25519. All processes that share a session need the same one.

	@default a new one, which `store` keeps
	*/
	readonly keyPair?: DpopKeyPair | undefined;
	/** The algorithm of a new key. @default 'ES256', which servers know best */
	readonly algorithm?: DpopAlgorithm | undefined;
	/**
	Where a new key is kept.

	@default IndexedDB in browsers, for all tabs; elsewhere only memory, so that the key is lost with the process. A browser that stores no keys,
	as in a sandboxed frame, loses it with the page.
	*/
	readonly store?: DpopKeyStore | undefined;
}

const rules: Rules = {
	keyPair: [isKeyPair, 'a key pair of P-256 or Ed25519, as crypto.subtle.generateKey gives it'],
	algorithm: oneOf('ES256', 'EdDSA'),
	store: aFunction,
};

/** The characters of a nonce: RFC 9449 §8.1. */
const noncePattern = /^[!#-[\]-~]+$/;

// We do not use the package `dpop`. It makes the proofs and nothing else, and with it this entry is 2.2 kB instead of 1.4 kB. It also exports the
// public key and hashes the access token again for each call.

/**
Binds tokens to a key. Each request then proves that its sender has the key, so a stolen token is useless. The server must support DPoP.

Tokens are sent as `DPoP` and never as `Bearer`. If the server gives a `Bearer` token, that is an error with the code
`unsupported_token_type`. If the key is lost, the server rejects the tokens that are bound to it, and the session ends.

Pass the same scheme, or schemes with the same key, to everything that requests tokens of one session: to `createLogin` as well as to
`createAuth`. In a browser, the server must expose the headers `DPoP-Nonce` and `WWW-Authenticate` by CORS, and a call that is redirected
fails: a proof is for one URL, and a browser tells nobody where a redirect leads. A stream is sent once. If the API asks for a nonce, the
caller gets that 401.

@throws {ConfigError} if an option cannot be used. The message names it. Calls throw it too, if the platform cannot generate the key.
@throws {StoreError} from the calls that use the key, if its store fails. Retry later.
@example
```ts
const scheme = dpop();
const auth = createAuth({tokenEndpoint, clientId: 'spa', scheme, origins: ['https://api.example.com']});
```
@see https://www.rfc-editor.org/rfc/rfc9449
*/
export function dpop(options?: DpopOptions): TokenScheme {
	const {keyPair, algorithm = 'ES256', store} = readOptions(options, rules);
	const loadKey = createKeySource(keyPair, algorithm, store);
	/** The last nonce of each origin. */
	const nonces = new Map<string, string>();
	/** The hash of the last token, for the claim `ath`. Most requests send the same token again. */
	let last: {readonly accessToken?: string; readonly hash?: string} = {};

	const hashOf = async (accessToken: string): Promise<string | undefined> => {
		if (last.accessToken !== accessToken) last = {accessToken, hash: await sha256(accessToken)};
		return last.hash;
	};

	return {
		header: 'authorization',
		tokenType: 'dpop',
		isBoundToUrl: true,
		apply: async ({url, method, headers}, accessToken) => {
			const {origin, pathname} = new URL(url);
			const {key, header} = await loadKey(accessToken === undefined);
			const claims = {
				jti: crypto.randomUUID(),
				htm: method,
				htu: origin + pathname,
				iat: Math.floor(Date.now() / 1000),
				ath: accessToken && (await hashOf(accessToken)),
				nonce: nonces.get(origin),
			};
			headers.set('dpop', await signJwt(header, claims, key));
			if (accessToken) headers.set('authorization', `DPoP ${accessToken}`);
		},
		review: (response, {url}, accessToken) => {
			const [nonce] = noncePattern.exec(readHeader(response.headers, 'dpop-nonce')) ?? [];
			if (!nonce) return undefined;
			nonces.set(new URL(url).origin, nonce);
			return asksForNonce(response, accessToken) ? 'resend' : undefined;
		},
	};
}

/** Whether the request failed only because it lacked the nonce: RFC 9449 §8 for a token request, §9 for a call. */
function asksForNonce({status, headers, error}: SchemeResponse, accessToken: string | undefined): boolean {
	if (accessToken === undefined) return error === 'use_dpop_nonce';
	return (
		status === 401 &&
		challengesOf(headers).some(({scheme, parameters}) => scheme === 'dpop' && parameters['error'] === 'use_dpop_nonce')
	);
}
