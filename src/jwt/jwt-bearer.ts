import {ConfigError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {isAnything, matches, readOptions, type Rule, type Rules} from '../lib/read-options.ts';
import {aScope, type ExtensionTokenRequest, type GrantContext} from '../oauth/token-request.ts';
import {type AssertionOptions, assertionRules, createAssertionSigner} from './assertion.ts';
import type {PrivateKey} from './signing-key.ts';

/** Options of `jwtBearer`: the key, and the claims of the assertion. */
export interface JwtBearerOptions extends AssertionOptions {
	/** A private key: a `CryptoKey`, a JWK, or PKCS #8 PEM. */
	readonly key: PrivateKey | undefined;
	/** The `iss` of the assertion: usually the client's id. */
	readonly issuer: string;
	/** The `sub` of the assertion: whom the token is for. @default the issuer */
	readonly subject?: string | undefined;
	/** The scopes to request, separated by spaces. Null requests none, as if it is left out. @default none */
	readonly scope?: string | null | undefined;
	/** Further claims of the assertion. @default none */
	readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/**
A `grant` that creates a new assertion for each token.

@throws {ConfigError} if the platform refuses the key, or if the assertion has no audience.
@see https://www.rfc-editor.org/rfc/rfc7523#section-2.1
*/
export type JwtBearerGrant = (context?: GrantContext) => Promise<ExtensionTokenRequest>;

/** The rule of who or what a claim names: any text (RFC 7519 §2). */
export const aName: Rule = [matches(/./), 'text that is not empty'];

function areClaims(value: unknown): boolean {
	try {
		const claims = ownRecordProperties(value);
		return (
			!!claims && !!JSON.stringify(claims) && !['iss', 'sub', 'aud', 'iat', 'exp', 'jti'].some(name => name in claims)
		);
	} catch {
		// What JSON has no way to write, such as a bigint.
		return false;
	}
}

const rules: Rules = {
	...assertionRules,
	// The key has a check of its own.
	key: isAnything,
	issuer: aName,
	subject: aName,
	scope: aScope,
	claims: [
		areClaims,
		'an object of JSON values, without the claims that regrant sets: iss, sub, aud, iat, exp and jti',
	],
};

/**
Creates a `grant` that gets tokens for a signed assertion. Each token gets a new assertion, so no refresh token is needed.

@throws {ConfigError} if an option is missing or unusable. The message names it, and holds nothing of the key.
@example
```ts
const auth = createAuth({
	tokenEndpoint: 'https://login.example.com/token',
	clientId: 'reports',
	grant: jwtBearer({key: env.PRIVATE_KEY, issuer: 'reports', subject: 'ada@example.com', scope: 'reports.read'}),
});
```
@see https://www.rfc-editor.org/rfc/rfc7523#section-2.1
*/
export function jwtBearer(options: JwtBearerOptions): JwtBearerGrant {
	const given = readOptions(options, rules, ['issuer']);
	const {key, issuer, subject = issuer, audience, scope, claims} = given;
	const further = {...claims};
	const sign = createAssertionSigner(key, 'jwtBearer({key}): key', given);
	return async context => {
		const {issuer: server, tokenEndpoint} = ownProperties(context);
		const aud = audience ?? server ?? tokenEndpoint;
		if (!aud) throw new ConfigError('audience is required without a client');
		return {
			...assertionRequest(await sign({...further, iss: issuer, sub: subject, aud})),
			scope,
		};
	};
}

/** The token request of an assertion. */
export const assertionRequest = (assertion: string): ExtensionTokenRequest => ({
	grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
	assertion,
});
