import {ConfigError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {randomId} from '../lib/random-id.ts';
import {isText, numberOf, oneOf, type Rule, type Rules} from '../lib/read-options.ts';
import {encodePart, signJwt} from './sign-jwt.ts';
import {type JwtAlgorithm, jwtAlgorithms, loadKey, mayFit, type SigningKey} from './signing-key.ts';

/** How an assertion is signed. */
export interface AssertionOptions {
	/**
	The algorithm.

	@default the one of the key; `RS256` for an RSA key in a PEM or in a JWK without `alg`
	*/
	readonly algorithm?: JwtAlgorithm | undefined;
	/** The id of the key: `kid` in the header of the assertion. @default the `kid` of a JWK, else none */
	readonly keyId?: string | undefined;
	/** Whom the assertion is for: its `aud`. @default the issuer if it is known, else the token endpoint */
	readonly audience?: string | undefined;
	/** How long an assertion is good: seconds. It is sent at once. @default 60 */
	readonly lifetime?: number | undefined;
}

/** The rule of a text in a claim. */
export const aText: Rule = [isText, 'printable ASCII'];

/** The rules of these options. */
export const assertionRules: Rules = {
	algorithm: oneOf(...jwtAlgorithms),
	keyId: aText,
	audience: aText,
	lifetime: numberOf('seconds', 1),
};

/**
Checks a private key as far as that goes without the platform, and gives what signs assertions with it. Each assertion has an id of its
own, and expires soon. The key is imported when it is used first: Workers refuse that while a module loads.

@param name How the caller calls the key, for messages.
@throws {ConfigError} which says what is wrong with the key, and holds nothing of it; also later, if the platform does not take the key.
@see https://www.rfc-editor.org/rfc/rfc7523#section-3
*/
export function createAssertionSigner(
	key: unknown,
	name: string,
	{algorithm, keyId, lifetime = 60}: AssertionOptions,
): (claims: object) => Promise<string> {
	const candidates = jwtAlgorithms.filter(possible => possible === (algorithm ?? possible) && mayFit(key, possible));
	const refuse = (): never => {
		const wanted = algorithm ?? jwtAlgorithms.join(' or ');
		const problem = key === undefined ? 'is undefined' : `must be a private key for ${wanted}`;
		throw new ConfigError(`${name} ${problem}: a CryptoKey, a JWK or PKCS #8 PEM`);
	};
	if (candidates.length === 0) refuse();
	const {kid} = ownProperties(ownRecordProperties(key));
	// The key, and no promise of it: on Workers, a promise of one request never settles for another.
	let signingKey: SigningKey | undefined;
	return async claims => {
		signingKey ??= (await loadKey(key, candidates)) ?? refuse();
		const header = encodePart({alg: signingKey.algorithm, typ: 'JWT', kid: keyId ?? kid});
		const iat = Math.floor(Date.now() / 1000);
		return signJwt(header, {...claims, iat, exp: iat + lifetime, jti: randomId()}, signingKey.key);
	};
}
