import {ConfigError} from '../errors.ts';
import {encodePart, isCryptoKey, type WebCryptoKey} from '../jwt/sign-jwt.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';

/** How proofs are signed. Every request carries one, so that there is no RSA: its proofs are long, and take their time. */
export type DpopAlgorithm = 'ES256' | 'EdDSA';

/** A pair of keys, as `crypto.subtle.generateKey` gives it. The private one need not be extractable, and should not be. */
export interface DpopKeyPair {
	/** Signs the proofs. */
	readonly privateKey: WebCryptoKey;
	/** Is in every proof. Extractable, as public keys are. */
	readonly publicKey: WebCryptoKey;
}

/** A key that is ready to sign proofs. */
export interface ProofKey {
	/** Signs the proofs. */
	readonly key: WebCryptoKey;
	/** The header of every proof, encoded. */
	readonly header: string;
}

function algorithmOf({algorithm}: WebCryptoKey): DpopAlgorithm | undefined {
	const {name, namedCurve} = algorithm as EcKeyAlgorithm;
	if (name === 'Ed25519') return 'EdDSA';
	return namedCurve === 'P-256' ? 'ES256' : undefined;
}

/** Whether a value is a pair of keys that can sign proofs and be shown in them. */
export function isKeyPair(value: unknown): value is DpopKeyPair {
	const {privateKey, publicKey} = ownProperties(ownRecordProperties(value));
	return (
		isCryptoKey(privateKey) &&
		isCryptoKey(publicKey) &&
		privateKey.usages.includes('sign') &&
		publicKey.type === 'public' &&
		publicKey.extractable &&
		!!algorithmOf(privateKey) &&
		algorithmOf(privateKey) === algorithmOf(publicKey)
	);
}

/**
Generates a pair of keys. Nobody can export the private one.

@throws {ConfigError} if the platform makes no such keys. Pages without https have no WebCrypto, and older browsers no Ed25519.
*/
export async function generateKeyPair(algorithm: DpopAlgorithm): Promise<DpopKeyPair> {
	const parameters = algorithm === 'ES256' ? {name: 'ECDSA', namedCurve: 'P-256'} : {name: 'Ed25519'};
	try {
		// Both algorithms have pairs.
		return (await crypto.subtle.generateKey(parameters, false, ['sign', 'verify'])) as CryptoKeyPair;
	} catch {
		throw new ConfigError(`dpop() needs WebCrypto with ${algorithm}, which is not here: does the page have https?`);
	}
}

/**
Prepares a pair of keys for signing.

@see https://www.rfc-editor.org/rfc/rfc9449#section-4.2
*/
export async function toProofKey({privateKey, publicKey}: DpopKeyPair): Promise<ProofKey> {
	const {kty, crv, x, y} = await crypto.subtle.exportKey('jwk', publicKey as CryptoKey);
	const jwk = ownProperties({kty, crv, x, y});
	return {
		key: privateKey,
		header: encodePart({typ: 'dpop+jwt', alg: algorithmOf(privateKey), jwk}),
	};
}
