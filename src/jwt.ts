export {googleServiceAccount} from './jwt/google-service-account.ts';
export {jwtBearer} from './jwt/jwt-bearer.ts';
export {privateKeyJwt} from './jwt/private-key-jwt.ts';

export type {AssertionOptions} from './jwt/assertion.ts';
export type {
	GoogleServiceAccount,
	GoogleServiceAccountKey,
	GoogleServiceAccountOptions,
} from './jwt/google-service-account.ts';
export type {JwtBearerGrant, JwtBearerOptions} from './jwt/jwt-bearer.ts';
export type {WebCryptoKey} from './jwt/sign-jwt.ts';
export type {JwtAlgorithm, PrivateJwk, PrivateKey} from './jwt/signing-key.ts';
