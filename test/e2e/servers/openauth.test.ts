import {createClient} from '@openauthjs/openauth/client';
import {issuer} from '@openauthjs/openauth';
import type {Provider} from '@openauthjs/openauth/provider/provider';
import {MemoryStorage} from '@openauthjs/openauth/storage/memory';
import {createSubjects} from '@openauthjs/openauth/subject';
import {clientSecretPost} from 'regrant';
import {object, string} from 'valibot';
import {expect} from 'vitest';
import {interceptConsole} from '../../support/console.ts';
import {beginSignIn, bearerOf, cookiesOf, type RealServer} from './front.ts';
import {createSession, grantsOf, specify} from './specification.ts';

const subjects = createSubjects({user: object({id: string()})});

const secret = 'openauth-service-secret';

/** A login whose user consents at once, and clients that act for themselves. */
const provider: Provider<{readonly id: string}> = {
	type: 'test',
	init(routes, {success}) {
		routes.get('/authorize', context => success(context, {id: crypto.randomUUID()}));
	},
	async client({clientID, clientSecret}) {
		if (clientSecret !== secret) throw new Error('Not this secret');
		return {id: clientID};
	},
};

/**
OpenAuth. Its token responses have no `token_type`. Those to `client_credentials` have no lifetime either, but a refresh token. Access
tokens are JWTs, so only the API can reject one before it expires. Refresh tokens contain colons. The answer to a wrong secret is an error
of the login pages: a text with status 400. Nothing can be revoked.
*/
async function start(origin: string): Promise<RealServer> {
	const storage = MemoryStorage();
	const refused = new Set<string>();
	// OpenAuth logs each request to the console that it finds when it starts.
	const output = interceptConsole();
	const app = issuer({
		subjects,
		storage,
		providers: {test: provider},
		// Using a refresh token twice ends the whole session.
		ttl: {reuse: 0},
		allow: async () => true,
		success: (responder, {id}) => responder.subject('user', {id}),
	});
	output.restore();
	const ask = async (request: Request): Promise<Response> => app.fetch(request);
	const client = createClient({
		clientID: 'spa',
		issuer: origin,
		fetch: async (input, init) => ask(new Request(input, init)),
	});
	const resource = async (request: Request): Promise<Response> => {
		const token = bearerOf(request);
		const verified = refused.has(token) ? undefined : await client.verify(subjects, token);
		if (!verified || verified.err) return Response.json({error: 'Unauthorized'}, {status: 401});
		return Response.json({subject: verified.subject.properties.id});
	};
	const visit = async (url: string): Promise<string | null> => {
		const page = await ask(new Request(url));
		const provider = new URL(page.headers.get('location') ?? '', origin);
		return (await ask(new Request(provider, {headers: {cookie: cookiesOf(page)}}))).headers.get('location');
	};
	return {
		tokenPath: '/token',
		resourcePath: '/me',
		app: {clientId: 'spa'},
		service: {
			clientId: 'service',
			clientAuthentication: clientSecretPost(secret),
			wrongAuthentication: clientSecretPost('wrong'),
			grant: {grant_type: 'client_credentials', scope: null},
			parameters: {provider: 'test'},
		},
		handle: request => (new URL(request.url).pathname === '/me' ? resource(request) : ask(request)),
		async signIn() {
			const {parameters, finish} = beginSignIn('spa');
			return finish(await visit(`${origin}/authorize?${new URLSearchParams(parameters)}`));
		},
		login: {issuerPath: '', visit},
		expire: async accessToken => void refused.add(accessToken),
		async kill(refreshToken) {
			const parts = refreshToken.split(':');
			const id = parts.pop() ?? '';
			await storage.remove(['oauth:refresh', parts.join(':'), id]);
		},
	};
}

const test = specify({
	name: '@openauthjs/openauth',
	start,
	hasMetadata: true,
	hasService: true,
	wrongSecret: {name: 'TokenResponseError', code: 'unexpected_status', status: 400, retryable: false},
});

test('a service whose refresh token is rejected gets a token by its own credentials again', async ({
	server,
	canaries,
}) => {
	const {service = server.app} = server;
	const parameters = new URLSearchParams({grant_type: 'client_credentials', provider: 'test', client_id: 'service'});
	parameters.set('client_secret', secret);
	const answer = await fetch(server.origin + server.tokenPath, {method: 'POST', body: parameters});
	const token = (await answer.json()) as {readonly access_token: string; readonly refresh_token: string};
	server.reset();
	const {auth, call, events} = createSession(server, service, canaries);
	await auth.setToken(token);
	await Promise.all([server.expire(token.access_token), server.kill(token.refresh_token)]);
	expect((await call()).ok).toBe(true);
	expect(grantsOf(server)).toEqual(['refresh_token refused', 'client_credentials granted']);
	expect(events.filter(({type}) => type === 'session-ended')).toEqual([]);
});
