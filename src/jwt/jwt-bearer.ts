import {ConfigError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {aText, isAnything, matches, readOptions, type Rule, type Rules} from '../lib/read-options.ts';
import type {ExtensionTokenRequest, GrantContext} from '../oauth/token-request.ts';
import {type AssertionOptions, assertionRules, createAssertionSigner} from './assertion.ts';
import type {PrivateKey} from './signing-key.ts';

/** What a token is asked for with, and what the assertion says. */
export interface JwtBearerOptions extends AssertionOptions {
	/** A private key: a `CryptoKey`, a JWK, or PKCS #8 PEM. */
	readonly key: PrivateKey | undefined;
	/** Who asks: the `iss` of the assertion. Mostly the client's id. */
	readonly issuer: string;
	/** For whom the token is: the `sub` of the assertion. @default the issuer */
	readonly subject?: string | undefined;
	/** The scopes to ask for, separated by spaces. @default none */
	readonly scope?: string | undefined;
	/** Further claims of the assertion. @default none */
	readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/**
A `grant` that makes a new assertion whenever it is asked.

@throws {ConfigError} if the platform does not take the key, or nobody says for whom the assertion is.
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
	// It has a check of its own.
	key: isAnything,
	issuer: aName,
	subject: aName,
	scope: aText,
	claims: [
		areClaims,
		'an object of JSON values, without the claims that regrant sets: iss, sub, aud, iat, exp and jti',
	],
};

/**
Gets tokens for a signed assertion: for `grant`. A new assertion is made for each token, so that no refresh token is needed.

@throws {ConfigError} which names the option that is missing or not usable, and holds nothing of the key.
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
