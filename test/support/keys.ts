import {type CryptoKey, exportJWK, exportPKCS8, generateKeyPair, type JWK} from 'jose';
import type {JwtAlgorithm, PrivateJwk} from '../../src/jwt.ts';

/** One private key in all the forms in which people have one, and its public half. */
export interface TestKey {
	readonly algorithm: JwtAlgorithm;
	readonly cryptoKey: CryptoKey;
	readonly jwk: PrivateJwk & JWK;
	readonly pem: string;
	readonly publicJwk: JWK;
}

/** The algorithms that a JWT can be signed with. */
export const jwtAlgorithms: readonly JwtAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA'];

/** Makes a key with `jose`, which knows nothing of regrant. */
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
