import {LoginError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {isString} from '../lib/read-options.ts';
import type {Client} from '../oauth/client.ts';

/**
What an ID token says of the user and of the login.

@see https://openid.net/specs/openid-connect-core-1_0.html#IDToken
*/
export interface IdTokenClaims {
	/** The issuer. */
	readonly iss: string;
	/** The user: unique at this issuer, and never given to another user. */
	readonly sub: string;
	/** The client, or several. */
	readonly aud: string | readonly string[];
	/** When the ID token expires: Unix time in seconds. */
	readonly exp: number;
	/** When it was issued: Unix time in seconds. */
	readonly iat: number;
	/** Whom it was issued to, if that is not the only one in `aud`. */
	readonly azp?: string;
	/** When the user proved who they are: Unix time in seconds. */
	readonly auth_time?: number;
	/** What `createLogin` sent along. */
	readonly nonce?: string;
	/** The rest, as the server wrote it. */
	readonly [claim: string]: unknown;
}

/** What an ID token must fit, beside its client. */
export interface ExpectedLogin {
	/** The nonce of the login, if it had one. */
	readonly nonce?: string | undefined;
	/** How long ago the user may have proved who they are: seconds, as the parameter `max_age` says. */
	readonly max_age?: unknown;
}

/**
Checks the claims of an ID token that came from the token endpoint. Its signature says no more than the connection does: the server has
proved by TLS who it is.

@throws {LoginError} which names the first claim that does not fit.
@see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
*/
export function readIdToken(idToken: unknown, client: Client, expected: ExpectedLogin): IdTokenClaims {
	const claims = ownProperties(parseClaims(idToken));
	const {clientId} = client;
	const {max_age} = expected;
	const audience = [claims.aud].flat();
	// The server's clock may be five minutes behind ours.
	const oldest = client.now() / 1000 - 300;
	const isAfter = (time: unknown, least: number): boolean => typeof time === 'number' && time > least;
	const fits: Readonly<Record<string, boolean>> = {
		iss: claims.iss === client.issuer,
		sub: isString(claims.sub || 0),
		aud: audience.includes(clientId),
		azp: (claims.azp ?? audience.join()) === clientId,
		exp: isAfter(claims.exp, oldest),
		iat: isAfter(claims.iat, 0),
		nonce: claims.nonce === expected.nonce,
		auth_time: !max_age || isAfter(claims.auth_time, oldest - (max_age as number)),
	};
	const wrong = Object.keys(fits).find(name => !fits[name]);
	if (wrong) throw new LoginError(`No ID token with the right ${wrong}: begin another login`);
	return {...claims} as IdTokenClaims; // as just checked
}

/** Gives the claims of a signed JSON Web Token, as they come. */
function parseClaims(idToken: unknown): Partial<IdTokenClaims> | undefined {
	const [, payload = ''] = String(idToken).split('.');
	try {
		const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), byte => byte.charCodeAt(0));
		return ownRecordProperties(JSON.parse(new TextDecoder().decode(bytes)));
	} catch {
		// The platform's error would quote the text.
		return undefined;
	}
}
