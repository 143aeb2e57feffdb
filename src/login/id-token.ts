import {LoginError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {isString} from '../lib/read-options.ts';
import type {Client} from '../oauth/client.ts';

/**
The claims of an ID token: about the user, and about the login.

@see https://openid.net/specs/openid-connect-core-1_0.html#IDToken
*/
export interface IdTokenClaims {
	/** The issuer. */
	readonly iss: string;
	/** The user. It is unique at this issuer, and is never reused. */
	readonly sub: string;
	/** The client, or several clients. */
	readonly aud: string | readonly string[];
	/** When the ID token expires: Unix time in seconds. */
	readonly exp: number;
	/** When it was issued: Unix time in seconds. */
	readonly iat: number;
	/** The client that it was issued to, if `aud` has several. */
	readonly azp?: string;
	/** When the user proved who they are: Unix time in seconds. */
	readonly auth_time?: number;
	/** The nonce that `createLogin` sent. */
	readonly nonce?: string;
	/** Further claims, as the server sent them. */
	readonly [claim: string]: unknown;
}

/** What an ID token must match, in addition to its client. */
export interface ExpectedLogin {
	/** The nonce of the login, if it has one. */
	readonly nonce?: string | undefined;
	/** How many seconds ago the user may have proved who they are: the parameter `max_age`. */
	readonly max_age?: unknown;
}

/**
Checks the claims of an ID token that came from the token endpoint. The signature is not checked, because TLS has already proved who the
server is.

@throws {LoginError} which names the first claim that does not fit.
@see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
*/
export function readIdToken(idToken: unknown, client: Client, expected: ExpectedLogin): IdTokenClaims {
	const claims = ownProperties(parseClaims(idToken));
	const audience = [claims.aud].flat();
	// The server's clock may be five minutes behind ours.
	const oldest = client.now() / 1000 - 300;
	const isAfter = (time: unknown, least: number): boolean => typeof time === 'number' && time > least;
	const fits: Readonly<Record<string, boolean>> = {
		iss: claims.iss === client.issuer,
		sub: isString(claims.sub || 0),
		aud: audience.includes(client.clientId),
		azp: (claims.azp ?? audience.join()) === client.clientId,
		exp: isAfter(claims.exp, oldest),
		iat: isAfter(claims.iat, 0),
		nonce: claims.nonce === expected.nonce,
		auth_time: !expected.max_age || isAfter(claims.auth_time, oldest - (expected.max_age as number)),
	};
	const wrong = Object.keys(fits).find(name => !fits[name]);
	if (wrong) throw new LoginError(`No ID token with the right ${wrong}: begin another login`);
	return {...claims} as IdTokenClaims; // as just checked
}

/** Reads the claims of a token. Returns undefined if it has none: the platform's error would quote the text. */
function parseClaims(idToken: unknown): Partial<IdTokenClaims> | undefined {
	try {
		// Anything but a text of several parts throws.
		const binary = atob(((idToken as string).split('.')[1] as string).replaceAll('-', '+').replaceAll('_', '/'));
		return ownRecordProperties(
			JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, byte => byte.charCodeAt(0)))),
		);
	} catch {
		return undefined;
	}
}
