import express, {type Express, type RequestHandler} from 'express';
import oauth2orize from 'oauth2orize';
import {clientSecretBasic} from 'regrant';
import {expect} from 'vitest';
import {beginSignIn, type RealServer, redirect_uri, startNodeServer} from './front.ts';
import {createSession, grantsOf, specify} from './specification.ts';
import {createTokenTable, type TokenTable} from './token-table.ts';

/** A Base64 text, which contains characters that form encoding changes. The server does not decode them, hence `encoding: 'raw'`. */
const secret = 'Zm9v+YmFy/w==';
const clientAuthentication = clientSecretBasic(secret, {encoding: 'raw'});
const wrongAuthentication = clientSecretBasic('wrong');
const app = {clientId: 'app', clientAuthentication, wrongAuthentication};
// oauth2orize leaves scopes to its user, and this server has none.
const service = {
	clientId: 'service',
	clientAuthentication,
	wrongAuthentication,
	grant: {grant_type: 'client_credentials', scope: null},
} as const;

/** Checks the client as passport-http does, which oauth2orize is used with: it splits at the colon, compares, and decodes nothing. */
const authenticateClient: RequestHandler = (request, response, next) => {
	const [, credentials = ''] = /^Basic (.*)$/.exec(request.headers.authorization ?? '') ?? [];
	const [id = '', given] = Buffer.from(credentials, 'base64').toString().split(':');
	if (given === secret) {
		Object.assign(request, {user: {id}});
		next();
	} else {
		// passport answers with text, not with an OAuth error.
		response.set('WWW-Authenticate', 'Basic realm="Users"').status(401).send('Unauthorized');
	}
};

function createServer(table: TokenTable): ReturnType<typeof oauth2orize.createServer> {
	const server = oauth2orize.createServer();
	const lifetime = {expires_in: 3600};
	server.grant(
		oauth2orize.grant.code((client, _redirectUri, {id}, done) =>
			done(null, table.issueCode({clientId: client.id, subject: id})),
		),
	);
	server.exchange(
		oauth2orize.exchange.code((client, code, redirectUri, done) => {
			const entry = table.useCode(code);
			if (entry?.clientId !== client.id || redirectUri !== redirect_uri) return done(null, false);
			const {access_token, refresh_token} = table.issuePair(entry);
			return done(null, access_token, refresh_token, lifetime);
		}),
	);
	server.exchange(
		oauth2orize.exchange.refreshToken((client, refreshToken, done) => {
			const entry = table.useRefreshToken(refreshToken);
			if (entry?.clientId !== client.id) return done(null, false);
			const {access_token, refresh_token} = table.issuePair(entry);
			return done(null, access_token, refresh_token, lifetime);
		}),
	);
	server.exchange(
		oauth2orize.exchange.clientCredentials((client, done) => {
			const {access_token} = table.issuePair({clientId: client.id, subject: client.id});
			return done(null, access_token, lifetime);
		}),
	);
	return server;
}

function createApp(table: TokenTable): Express {
	const server = createServer(table);
	return express()
		.get(
			'/dialog/authorize',
			(request, _response, next) => {
				Object.assign(request, {user: {id: crypto.randomUUID()}});
				next();
			},
			server.authorization(
				(id, redirectUri, done) => (redirectUri === redirect_uri ? done(null, {id}, redirectUri) : done(null, false)),
				(_client, _user, done) => done(null, true),
			),
		)
		.post(
			'/oauth/token',
			express.urlencoded({extended: false}),
			authenticateClient,
			server.token(),
			server.errorHandler(),
		)
		.all('/api/userinfo', (request, response) => {
			const [, token = ''] = /^Bearer (.*)$/.exec(request.headers.authorization ?? '') ?? [];
			const entry = table.accessOf(token);
			if (entry) response.json({subject: entry.subject});
			// The same answer as that of passport-http-bearer.
			else
				response
					.set('WWW-Authenticate', 'Bearer realm="Users", error="invalid_token"')
					.status(401)
					.send('Unauthorized');
		});
}

/**
oauth2orize on Express. It answers a rejected refresh token with `invalid_grant` and status 403, and a wrong secret with 401 and a text. It
revokes nothing.
*/
async function start(origin: string): Promise<RealServer> {
	const table = createTokenTable();
	const {handle, close} = await startNodeServer(createApp(table));
	return {
		tokenPath: '/oauth/token',
		resourcePath: '/api/userinfo',
		app,
		service,
		handle,
		async signIn() {
			const {parameters, finish} = beginSignIn(app.clientId);
			const page = await handle(new Request(`${origin}/dialog/authorize?${new URLSearchParams(parameters)}`));
			return finish(page.headers.get('location'));
		},
		expire: async accessToken => table.expire(accessToken),
		kill: async refreshToken => table.revoke(refreshToken),
		close,
	};
}

const test = specify({name: 'oauth2orize', start, hasSecret: true, hasService: true});

test('a secret that Basic’s encoding changes is refused with a hint at the raw one [R2, R4]', async ({
	server,
	canaries,
}) => {
	const {call} = createSession(server, {...service, clientAuthentication: clientSecretBasic(secret)}, canaries);
	const error = await canaries.rejection(call());
	expect(error).toMatchObject({
		name: 'OAuthError',
		error: 'invalid_client',
		message: expect.stringMatching(/encoding: 'raw'.*clientSecretPost/s),
	});
	expect(grantsOf(server)).toEqual(['client_credentials refused']);
});
