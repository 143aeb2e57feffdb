import {expect, vi} from 'vitest';
import {test as base} from '../support/test.ts';

const audience = 'https://api.example.com';
const secret = 'auth0-secret-of-a-machine';

const test = base.extend('auth0', async ({serve, canaries}, {onCleanup}) => {
	canaries.plant(secret, 'client secret');
	const tokens = new Set<string>();
	// Auth0's documentation says: the audience is required if no default is set, and there is no refresh token.
	const login = await serve((_request, {body}) => {
		const parameters = new URLSearchParams(body);
		if (parameters.get('client_secret') !== secret) return Response.json({error: 'access_denied'}, {status: 401});
		if (parameters.get('audience') !== audience) return Response.json({error: 'access_denied'}, {status: 403});
		const access_token = crypto.randomUUID();
		tokens.add(access_token);
		canaries.plant(access_token, 'access token');
		return Response.json({access_token, token_type: 'Bearer', expires_in: 86_400});
	});
	const api = await serve((_request, {headers}) => {
		const isGood = tokens.has((headers['authorization'] ?? '').replace('Bearer ', ''));
		return new Response(null, {status: isGood ? 200 : 401});
	});
	const place = {
		TOKEN_ENDPOINT: `${login.origin}/oauth/token`,
		CLIENT_ID: 'machine',
		CLIENT_SECRET: secret,
		AUDIENCE: audience,
		API: api.origin,
	};
	for (const [name, value] of Object.entries(place)) vi.stubEnv(name, value);
	onCleanup(() => void vi.unstubAllEnvs());
	vi.resetModules();
	const recipe = await import('../../playground/recipes/auth0-m2m.ts');
	return {...recipe, login, forget: () => tokens.clear()};
});

const statuses = (responses: readonly Response[]): number[] => responses.map(({status}) => status);

const ok = Array.from({length: 20}, () => 200);

test('twenty calls at once ask for one token, with the audience and without a scope', async ({auth0}) => {
	const {api, login} = auth0;
	expect(statuses(await Promise.all(ok.map(() => api.get('me'))))).toEqual(ok);
	expect(login.requests.map(({body}) => Object.fromEntries(new URLSearchParams(body)))).toEqual([
		{grant_type: 'client_credentials', audience, client_id: 'machine', client_secret: secret},
	]);
});

test('a token that the API no longer accepts is replaced once, with the audience again', async ({auth0}) => {
	const {api, auth, login, forget} = auth0;
	await auth.getToken();
	forget();
	expect(statuses(await Promise.all(ok.map(() => api.get('me'))))).toEqual(ok);
	expect(login.requests.map(({body}) => new URLSearchParams(body).get('audience'))).toEqual([audience, audience]);
});
