import {type CryptoKey, exportJWK, exportPKCS8, generateKeyPair, type JWK} from 'jose';
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

/** Creates a key with `jose`, which shares no code with regrant. */
export async function createTestKey(algorithm: JwtAlgorithm, kid: string = `kid-${algorithm}`): Promise<TestKey> {
	const {privateKey, publicKey} = await generateKeyPair(algorithm, {extractable: true});
	return {
		algorithm,
		cryptoKey: privateKey,
		jwk: {...(await exportJWK(privateKey)), alg: algorithm, kid},
		pem: await exportPKCS8(privateKey),
		publicJwk: {...(await exportJWK(publicKey)), alg: algorithm, kid},
	};
}
