import {describe, expect} from 'vitest';
import {createSession} from '../../src/index.ts';
import {apiOrigin, authorizations, createFakeApi} from '../support/fake-api.ts';
import {test} from '../support/test.ts';

/** Whether a 401 with this challenge makes the session renew the token and resend the call. */
async function renews(challenge: string): Promise<boolean> {
	const api = createFakeApi((_request, token) =>
		token === 'second' ? undefined : new Response(null, {status: 401, headers: {'www-authenticate': challenge}}),
	);
	const auth = createSession({renew: () => ({access_token: 'second'}), origins: [apiOrigin]});
	await auth.setToken({access_token: 'first'});
	const {status} = await api.client(auth).get('me');
	expect(authorizations(api)).toEqual(status === 200 ? ['Bearer first', 'Bearer second'] : ['Bearer first']);
	return status === 200;
}

describe('a 401 renews once', () => {
	test.for([
		'Bearer',
		'bearer realm="api"',
		'Bearer error="invalid_token"',
		'Bearer error="expired_token"',
		'Bearer error="token_expired", error_description="The access token expired"',
		'Bearer error=""',
		'Bearer realm="insufficient_scope"',
		'Bearer error_description="insufficient_scope"',
		'Token realm="Application"',
		'Token',
		'OAuth realm="https://twitch.tv"',
		'OAuth realm="x", error="insufficient_scope"',
		'JWT realm="api"',
		'Zoho-oauthtoken',
		'DPoP error="invalid_token", algs="ES256"',
		'Basic realm="x", Token realm="y"',
		'Negotiate, Bearer',
		'DPoP error="use_dpop_nonce", Bearer error="invalid_token"',
	])('a 401 renews once for %s [R51]', async challenge => {
		expect(await renews(challenge)).toBe(true);
	});
});

describe('a 401 says that a new token cannot help', () => {
	test.for([
		'Bearer error="insufficient_scope", scope="write"',
		'Bearer scope="write", error="insufficient_scope"',
		'BEARER ERROR="insufficient_scope"',
		'Bearer error=insufficient_scope',
		'Bearer error="invalid_request"',
		'Bearer error="insufficient_user_authentication", acr_values="2"',
		'DPoP error="insufficient_scope"',
		'Token, Bearer error="insufficient_scope"',
		'Basic realm="x"',
		'Digest realm="x", nonce="y"',
		'Negotiate',
		'Negotiate YWJj==',
		'NTLM',
		'HOBA max-age="180", challenge="MTYhm"',
		'Mutual realm="x"',
		'SCRAM-SHA-256 realm="x"',
		'vapid t="x", k="y"',
		'Basic realm="x", Digest realm="y"',
		'DPoP error="use_dpop_nonce"',
		'Basic realm="x", DPoP error="use_dpop_nonce"',
	])('a 401 says that a new token cannot help with %s, and renews nothing [R52, F-48]', async challenge => {
		expect(await renews(challenge)).toBe(false);
	});
});
