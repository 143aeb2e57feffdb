import {base64url, type CryptoKey, exportJWK, exportPKCS8, generateKeyPair, type JWK} from 'jose';
import type {JwtAlgorithm, PrivateJwk} from '../../src/jwt.ts';

/** A private key in each common format, and its public key. */
export interface TestKey {
	readonly algorithm: JwtAlgorithm;
	readonly cryptoKey: CryptoKey;
	readonly jwk: PrivateJwk & JWK;
	readonly pem: string;
	readonly publicJwk: JWK;
}

/** The algorithms that a JWT can be signed with. */
export const jwtAlgorithms: readonly JwtAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA'];

/**
Creates a key with `jose`, which shares no code with regrant.

WebKitGTK imports no PKCS #8 of an Ed25519 key that begins with a zero byte, as one in 256 does. So no key here does.
*/
export async function createTestKey(algorithm: JwtAlgorithm, kid: string = `kid-${algorithm}`): Promise<TestKey> {
	const {privateKey, publicKey} = await generateKeyPair(algorithm, {extractable: true});
	const jwk = await exportJWK(privateKey);
	if (algorithm === 'EdDSA' && jwk.d && base64url.decode(jwk.d)[0] === 0) return createTestKey(algorithm, kid);
	return {
		algorithm,
		cryptoKey: privateKey,
		jwk: {...jwk, alg: algorithm, kid},
		pem: await exportPKCS8(privateKey),
		publicJwk: {...(await exportJWK(publicKey)), alg: algorithm, kid},
	};
}
