import {ConfigError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {aText, numberOf, type Rules} from '../lib/read-options.ts';
import {signJwt, type WebCryptoKey} from './sign-jwt.ts';
import {algorithmOf, algorithms, anAlgorithm, type JwtAlgorithm, type PrivateJwk} from './signing-key.ts';

/** Options of an assertion. */
export interface AssertionOptions {
	/**
	The algorithm of the signature.

	@default the algorithm of the key; `RS256` for an RSA key in a PEM, or in a JWK without `alg`
	*/
	readonly algorithm?: JwtAlgorithm | undefined;
	/** The id of the key: `kid` in the header of the assertion. @default the `kid` of a JWK, else none */
	readonly keyId?: string | undefined;
	/** The audience of the assertion: its `aud`. @default the issuer if it is known, else the token endpoint */
	readonly audience?: string | undefined;
	/** How long an assertion is valid, in seconds. It is sent at once. @default 60 */
	readonly lifetime?: number | undefined;
}

/** The rules of these options. */
export const assertionRules: Rules = {
	algorithm: anAlgorithm,
	keyId: aText,
	audience: aText,
	lifetime: numberOf('seconds', 1),
};

/**
Checks a private key as far as possible without the platform, and returns a function that signs assertions with it. Each assertion has an id
of its own, and expires soon. The key is imported when it is first used, because Workers refuse that while a module loads.

@param name The caller's name for the key, for messages.
@throws {ConfigError} if the key cannot be used: at once, or at the first use if only the platform can tell. The message holds nothing of
the key.
@see https://www.rfc-editor.org/rfc/rfc7523#section-3
*/
export function createAssertionSigner(
	key: unknown,
	name: string,
	{algorithm, keyId, lifetime = 60}: AssertionOptions,
): (claims: object) => Promise<string> {
	const refuse = (): never => {
		const problem = key === undefined ? 'is undefined' : 'must be a private key for ' + (algorithm ?? anAlgorithm[1]);
		throw new ConfigError(`${name} ${problem}: a CryptoKey, a JWK or PKCS #8 PEM`);
	};
	const jwk = ownProperties(ownRecordProperties(key)) as PrivateJwk;
	// A file may have more than the key in it, such as a certificate.
	const pem = typeof key === 'string' && key.split(/-----\w+ PRIVATE KEY-----/)[1];
	const native = algorithmOf(key);
	// Not every platform looks at `alg` itself. RFC 9864 calls EdDSA as platforms do.
	const names = Object.keys(algorithms).filter(
		known =>
			[algorithm, native ?? jwk.alg].every(one => !one || one === known || one === algorithms[known]) &&
			// Firefox looks at the kind of a JWK too late: it crashes if it imports one of RSA for ECDSA.
			known.startsWith(jwk.kty === 'OKP' ? 'Ed' : (jwk.kty ?? '')),
	);
	if (!(names[0] && (native || pem || jwk.d))) refuse();
	// Keeps the key and not a promise: on Workers, a promise of one request never settles for another request.
	let signingKey = key as WebCryptoKey; // if it is none, the platform makes one of it below
	return async claims => {
		for (const known of names) {
			try {
				if (algorithmOf(signingKey)) break;
				signingKey = await crypto.subtle.importKey(
					(pem ? 'pkcs8' : 'jwk') as 'jwk',
					(pem
						? Uint8Array.from(atob(pem.replace(/\\+.|\s/g, '')), character => character.charCodeAt(0))
						: jwk) as JsonWebKey, // the two go together
					// Each algorithm takes of it what it needs.
					{name: known, namedCurve: 'P-256', hash: 'SHA-256'},
					false,
					['sign'],
				);
			} catch {
				// It is of another kind. The platform's error may quote it.
			}
		}
		const iat = Math.floor(Date.now() / 1000);
		return signJwt(
			{alg: algorithmOf(signingKey) ?? refuse(), typ: 'JWT', kid: keyId ?? jwk.kid},
			{...claims, iat, exp: iat + lifetime, jti: crypto.randomUUID()},
			signingKey,
			// Workers take any PEM for one of Ed25519, and see only now that it is not.
		).catch(refuse);
	};
}
