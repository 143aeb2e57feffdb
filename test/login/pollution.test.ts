import {describe, expect, onTestFinished} from 'vitest';
import {createLogin, deviceLogin, discover} from '../../src/login/login.ts';
import {createFakeServer, createFakeStorage, idTokenOf, place} from '../support/fake-login.ts';
import {test} from '../support/test.ts';

/** Properties that an attacker could add to every object. Each would change the result if it was read as an option, a field or a claim. */
const evil: Readonly<Record<string, unknown>> = {
	// Options
	issuer: 'https://evil.example',
	metadata: {authorization_response_iss_parameter_supported: true},
	authorizationEndpoint: 'https://evil.example/authorize',
	deviceAuthorizationEndpoint: 'https://evil.example/device',
	endSessionEndpoint: 'https://evil.example/logout',
	revocationEndpoint: 'https://evil.example/revoke',
	redirectUri: 'https://evil.example/callback',
	storage: {getItem: () => '{}', setItem: () => {}, removeItem: () => {}},
	parameters: {prompt: 'none'},
	scope: 'evil',
	keep: ['evil'],
	asked: {prompt: 'none'},
	fetch: () => Promise.reject(new Error('evil')),
	timeout: 1,
	now: () => 0,
	scheme: {header: 'x-evil', apply: () => {}},
	allowInsecureOrigins: ['http://evil.example'],
	returnTo: '/evil',
	idToken: 'evil',
	signal: AbortSignal.abort(new Error('evil')),
	// Parameters of the callback URL, fields of the stored login, and claims
	state: 'evil',
	code: 'evil',
	error: 'access_denied',
	error_description: 'evil',
	iss: 'https://evil.example',
	tokenEndpoint: 'https://evil.example/token',
	started: 0,
	code_verifier: 'evil',
	nonce: 'evil',
	max_age: '0',
	resource: 'urn:evil',
	id_token: 'evil',
	azp: 'evil',
	auth_time: 0,
	// Fields of the server's responses
	authorization_response_iss_parameter_supported: true,
	token_endpoint_auth_methods_supported: ['evil'],
	end_session_endpoint: 'https://evil.example/logout',
	verification_uri: 'https://evil.example/',
	verification_url: 'https://evil.example/',
	verification_uri_complete: 'https://evil.example/',
	user_code: 'evil',
	interval: 60,
	expires_in: 1,
	retryAfter: 60_000,
	// Options of a request, and members of its error
	method: 'PUT',
	body: 'evil',
	headers: {'x-evil': 'evil'},
	redirect: 'follow',
	cause: new Error('evil'),
	value: 'evil',
};

const claims = (nonce: unknown): object => {
	const now = Date.now() / 1000;
	return {iss: place.issuer, sub: 'ann', aud: place.clientId, iat: now, exp: now + 60, nonce};
};

/** Runs a login from discovery to logout, and describes each step in a line. */
async function story(): Promise<readonly string[]> {
	const told: string[] = [];
	const document = {
		issuer: place.issuer,
		token_endpoint: place.tokenEndpoint,
		authorization_endpoint: place.authorizationEndpoint,
		device_authorization_endpoint: `${place.issuer}/device`,
	};
	const {metadata, ...server} = await discover(place.issuer, {fetch: async () => Response.json(document)});
	told.push(JSON.stringify(server), Object.keys(metadata).join());

	const fake = createFakeServer();
	const login = createLogin({
		...server,
		clientId: place.clientId,
		redirectUri: place.redirectUri,
		scope: 'openid',
		storage: createFakeStorage(),
		fetch: fake.fetch,
	});
	const url = new URL(await login.start());
	const state = url.searchParams.get('state');
	fake.answer = () => ({access_token: 'at', id_token: idTokenOf(claims(url.searchParams.get('nonce')))});
	told.push(url.origin, [...url.searchParams.keys()].join());
	told.push(String(login.isCallback('/callback?state=1')));
	const finished = await login.finish(`/callback?code=c&state=${state}`);
	told.push(finished.returnTo, String(finished.claims?.sub), Object.keys(finished.token).toSorted().join());
	told.push([...(fake.requests[0]?.keys() ?? [])].join(), [...(fake.headers[0]?.keys() ?? [])].toSorted().join());
	told.push(await login.finish(`/callback?code=c&state=${state}`).then(String, (error: Error) => error.message));
	try {
		told.push(login.logoutUrl());
	} catch (error) {
		told.push((error as Error).message);
	}

	return told;
}

/** Runs a device login, and describes each step in a line. */
async function deviceStory(): Promise<readonly string[]> {
	const told: string[] = [];
	const answers = [
		{device_code: 'd', user_code: 'U', verification_uri: 'https://as.example/', expires_in: 60, interval: 1},
		{access_token: 'at'},
	];
	const token = await deviceLogin(
		{
			tokenEndpoint: place.tokenEndpoint,
			deviceAuthorizationEndpoint: `${place.issuer}/device`,
			clientId: 'tool',
			async fetch(url, init) {
				const body = new URLSearchParams(init?.body as string);
				told.push(url as string, [...body.keys()].join(), [...new Headers(init?.headers).keys()].join());
				return Response.json(answers.shift());
			},
		},
		prompt => void told.push(JSON.stringify(prompt)),
	);
	told.push(Object.keys(token).toSorted().join());
	return told;
}

/** Adds these properties to `Object.prototype` for the rest of the test. */
function pollute(names: readonly string[]): void {
	onTestFinished(() => names.forEach(name => Reflect.deleteProperty(Object.prototype, name)));
	for (const name of names) {
		Reflect.defineProperty(Object.prototype, name, {value: evil[name], configurable: true, writable: true});
	}
}

const [expected, expectedOfDevice] = await Promise.all([story(), deviceStory()]);

describe('a login on a page with a polluted Object.prototype is like any other', () => {
	test.for(Object.keys(evil))('%s', async name => {
		pollute([name]);
		expect(await story()).toEqual(expected);
	});
});

test('a device login on a page with a polluted Object.prototype is like any other', async () => {
	// The platform itself reads the excluded names, even if they are inherited.
	const ofPlatform = ['method', 'body', 'headers', 'redirect', 'value'];
	pollute(Object.keys(evil).filter(name => !ofPlatform.includes(name)));
	expect(await deviceStory()).toEqual(expectedOfDevice);
});

test('there is something to compare', () => {
	expect(expected).toHaveLength(12);
	expect(expectedOfDevice).toHaveLength(8);
	expect([expected, expectedOfDevice].join()).not.toContain('evil');
});
