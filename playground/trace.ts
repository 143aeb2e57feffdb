import ky, {type KyInstance} from 'ky';
import {
	type Auth,
	type AuthOptions,
	type AuthToken,
	clientSecretBasic,
	createAuth,
	createSession,
	requestToken,
} from 'regrant';
import {app, type AuthorizationServer, seedClient, serve, service, startSeedApi} from './authorization-server.ts';
import {createRecorder, type Recorder} from './recorder.ts';
import {crowd, describeTally, findFault, type Tally, tallyOf, type Witness} from './tally.ts';

/** The lifetime of the backend's access tokens, in seconds. */
const minute = 60;

/** One exchange between regrant and a server, and what the server must have counted when it is over. */
export interface Scene {
	readonly title: string;
	readonly expected: Tally;
	/** Plays the scene, and returns the server that counted. */
	play(recorder: Recorder): Promise<Witness>;
}

/**
Plays the scenes one after another and prints their steps.

@throws an error that says in a sentence what went wrong.
*/
export async function trace(scenes: readonly Scene[], print: (line: string) => void): Promise<void> {
	for (const {title, expected, play} of scenes) {
		const recorder = createRecorder();
		print(`\n${title}`);
		try {
			const fault = findFault(expected, tallyOf(await play(recorder)));
			if (fault !== undefined) throw new Error(fault);
		} finally {
			for (const line of recorder.lines()) print(`  ${line}`);
		}
		print(`  ${describeTally(expected)}`);
	}
}

/** The scenes of `npm start`. All but one use a real authorization server. */
export function scenesAt(server: AuthorizationServer): Scene[] {
	return [
		serviceScene(server),
		seedScene(),
		publicScene(server),
		crowdScene(server),
		backendScene(server),
		audienceScene(server),
	];
}

function serviceScene(server: AuthorizationServer): Scene {
	return {
		title: 'A service at oidc-provider, which grants it no refresh token: it asks for a new access token',
		expected: {'client_credentials grant answered 200': 2, 'call answered 200': 2, 'call answered 401': 1},
		async play(recorder) {
			server.reset();
			const {auth, api} = connect(server, recorder, {
				clientId: service.clientId,
				clientAuthentication: clientSecretBasic(service.secret),
				grant: {grant_type: 'client_credentials', scope: '/accounts.read'},
			});
			await callExpireCall(server, recorder, auth, api);
			return server;
		},
	};
}

function seedScene(): Scene {
	return {
		title: 'A service at an API that gives it a refresh token: it uses that',
		expected: {
			'client_credentials grant answered 200': 1,
			'refresh_token grant answered 200': 1,
			'call answered 200': 2,
			'call answered 401': 1,
		},
		async play(recorder) {
			const server = await startSeedApi();
			try {
				const {auth, api} = connect(server, recorder, {
					clientId: seedClient.clientId,
					clientAuthentication: clientSecretBasic(seedClient.secret),
					encoding: 'json',
					grant: {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'},
				});
				await callExpireCall(server, recorder, auth, api);
				return server;
			} finally {
				await server.close();
			}
		},
	};
}

function publicScene(server: AuthorizationServer): Scene {
	return {
		title: 'A public client that has nothing but a refresh token, at oidc-provider: each use gives it the next one',
		expected: {'refresh_token grant answered 200': 2, 'call answered 200': 2, 'call answered 401': 1},
		async play(recorder) {
			server.reset();
			const {refresh_token} = await server.mint();
			const {auth, api} = connect(server, recorder, {
				clientId: app.clientId,
				grant: {grant_type: 'refresh_token', refresh_token},
			});
			await callExpireCall(server, recorder, auth, api);
			return server;
		},
	};
}

function crowdScene(server: AuthorizationServer): Scene {
	return {
		title: `${crowd} calls of that client at once, with an access token that has expired`,
		expected: {'refresh_token grant answered 200': 1, 'call answered 401': crowd, 'call answered 200': crowd},
		async play(recorder) {
			server.reset();
			const token = await server.mint();
			await server.expire(token.access_token);
			const {auth, api} = connect(server, recorder, {clientId: app.clientId});
			await auth.setToken(token);
			await Promise.all(Array.from({length: crowd}, () => api.get('accounts')));
			return server;
		},
	};
}

function backendScene(server: AuthorizationServer): Scene {
	return {
		title: 'A page whose own backend keeps the refresh token: the page sends a cookie, and gets access tokens',
		expected: {'refresh_token grant answered 200': 2, 'call answered 200': 2, 'call answered 401': 1},
		async play(recorder) {
			server.reset();
			const backend = await startBackend(server, recorder);
			try {
				const auth = createSession({
					renew: async ({signal}) => {
						// A browser sends the cookie by itself.
						const init = {method: 'POST', headers: {cookie: backend.cookie}, signal};
						return (await recorder.fetch(`${backend.origin}/session`, init)).json() as Promise<AuthToken>;
					},
					origins: [server.api],
				});
				const api = ky.extend({baseUrl: server.api, fetch: recorder.fetch, hooks: auth.hooks});
				await callExpireCall(server, recorder, auth, api);
				return server;
			} finally {
				await backend.close();
			}
		},
	};
}

function audienceScene(server: AuthorizationServer): Scene {
	const audience = 'https://api.example.com';
	return {
		title: 'A service whose server wants an audience, and has no scopes: scope is null',
		expected: {'client_credentials grant answered 200': 2, 'call answered 200': 2, 'call answered 401': 1},
		async play(recorder) {
			server.reset();
			const {auth, api} = connect(server, recorder, {
				clientId: service.clientId,
				clientAuthentication: clientSecretBasic(service.secret),
				grant: {grant_type: 'client_credentials', scope: null},
				parameters: {audience},
			});
			await callExpireCall(server, recorder, auth, api, 'me');
			const isNamed = server.tokenRequests.every(({parameters}) => parameters.get('audience') === audience);
			if (!isNamed) throw new Error('A token request had another audience.');
			return server;
		},
	};
}

/** Starts a backend that keeps the refresh token, and gives an access token for a cookie. */
async function startBackend(
	server: AuthorizationServer,
	{fetch}: Recorder,
): Promise<{readonly origin: string; readonly cookie: string; close(): Promise<void>}> {
	const cookie = 'session=1';
	const {tokenEndpoint} = server;
	let {refresh_token} = await server.mint();
	const backend = await serve(async (_request, {headers}) => {
		if (headers['cookie'] !== cookie) return new Response(null, {status: 401});
		const request = {grant_type: 'refresh_token', refresh_token} as const;
		const token = await requestToken({tokenEndpoint, clientId: app.clientId, fetch}, request);
		refresh_token = token.refresh_token ?? refresh_token;
		return Response.json({access_token: token.access_token, expires_in: minute});
	});
	return {origin: backend.origin, cookie, close: backend.close};
}

interface Place {
	readonly tokenEndpoint: string;
	readonly api: string;
}

function connect(
	{tokenEndpoint, api}: Place,
	recorder: Recorder,
	options: Omit<AuthOptions, 'tokenEndpoint'>,
): {readonly auth: Auth; readonly api: KyInstance} {
	const auth = createAuth({tokenEndpoint, fetch: recorder.fetch, ...options});
	return {auth, api: ky.extend({baseUrl: api, fetch: recorder.fetch, hooks: auth.hooks})};
}

async function callExpireCall(
	server: {expire(accessToken: string): unknown},
	recorder: Recorder,
	auth: Auth,
	api: KyInstance,
	path = 'accounts',
): Promise<void> {
	await api.get(path);
	await server.expire((await auth.getToken()).access_token);
	recorder.note('the server ends access token 1');
	await api.get(path);
}
