import {importJWK, type JWK, jwtVerify} from 'jose';
import {type Answer, type CapturedRequest, serve} from './serve.ts';

/** A service account that the fake endpoint knows. */
export interface GoogleAccount {
	readonly email: string;
	readonly publicJwk: JWK;
	/** The users for whom the account may act. */
	readonly delegators?: readonly string[];
}

/** A fake of Google's token endpoint for service accounts. */
export interface GoogleTokenEndpoint {
	readonly tokenEndpoint: string;
	readonly requests: CapturedRequest[];
	/** The claims of the assertions that it accepted. */
	readonly claims: Array<Readonly<Record<string, unknown>>>;
	/** The access tokens that it gave. */
	readonly tokens: string[];
	close(): Promise<void>;
}

const refuse = (description: string): Answer =>
	Response.json({error: 'invalid_grant', error_description: description}, {status: 400});

/**
Starts a fake that accepts exactly what Google documents: a form with two parameters, and an assertion that is signed with RS256, names the
token endpoint as its audience and is valid for an hour at most.

@see https://developers.google.com/identity/protocols/oauth2/service-account#httprest
*/
export async function startGoogleTokenEndpoint({
	email,
	publicJwk,
	delegators = [],
}: GoogleAccount): Promise<GoogleTokenEndpoint> {
	const claims: GoogleTokenEndpoint['claims'] = [];
	const tokens: string[] = [];
	const key = await importJWK(publicJwk, 'RS256');
	const served = await serve(async (_request, {method, path, headers, body, url}) => {
		if (method !== 'POST' || path !== '/token') return {status: 404};
		if (!headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return {status: 415};
		const parameters = new URLSearchParams(body);
		if ([...parameters.keys()].toSorted().join() !== 'assertion,grant_type') return refuse('Unknown parameters');
		if (parameters.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
			return Response.json({error: 'unsupported_grant_type'}, {status: 400});
		}
		try {
			const {payload} = await jwtVerify(parameters.get('assertion') ?? '', key, {
				algorithms: ['RS256'],
				typ: 'JWT',
				issuer: email,
				audience: url,
				requiredClaims: ['iat', 'exp', 'scope'],
			});
			const {sub, iat = 0, exp = 0, scope} = payload;
			if (exp - iat > 3600) return refuse('Invalid JWT: Token must be a short-lived token (60 minutes)');
			if (sub !== undefined && !delegators.includes(sub)) {
				return Response.json({error: 'unauthorized_client'}, {status: 401});
			}
			claims.push(payload);
			const access_token = `ya29.c.${crypto.randomUUID()}..`;
			tokens.push(access_token);
			return Response.json({access_token, scope, token_type: 'Bearer', expires_in: 3600});
		} catch {
			return refuse('Invalid JWT Signature.');
		}
	});
	return {tokenEndpoint: `${served.origin}/token`, requests: served.requests, claims, tokens, close: served.close};
}
