import express, {type Express, type RequestHandler} from 'express';
import oauth2orize from 'oauth2orize';
import {clientSecretBasic} from 'regrant';
import {expect} from 'vitest';
import {beginSignIn, type RealServer, redirect_uri, startNodeServer} from './front.ts';
import {createSession, grantsOf, specify} from './specification.ts';
import {createTokenTable, type TokenTable} from './token-table.ts';

/** Base64, as secrets of other tools are. It is form-encoded on its way, which the server here does not decode. */
const secret = 'Zm9v+YmFy/w==';
const clientAuthentication = clientSecretBasic(secret, {encoding: 'raw'});
const wrongAuthentication = clientSecretBasic('wrong');
const app = {clientId: 'app', clientAuthentication, wrongAuthentication};
// Its package hands the scopes on to its user, who has none here.
const service = {
	clientId: 'service',
	clientAuthentication,
	wrongAuthentication,
	grant: {grant_type: 'client_credentials', scope: null},
} as const;

/** Checks the client as passport-http does, with which oauth2orize is used: it splits and compares, and decodes nothing. */
const authenticateClient: RequestHandler = (request, response, next) => {
	const [, credentials = ''] = /^Basic (.*)$/.exec(request.headers.authorization ?? '') ?? [];
	const [id = '', given] = Buffer.from(credentials, 'base64').toString().split(':');
	if (given === secret) {
		Object.assign(request, {user: {id}});
		next();
	} else {
		// In text, and not an error of OAuth's: so passport answers.
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
			// As passport-http-bearer says it.
			else
				response
					.set('WWW-Authenticate', 'Bearer realm="Users", error="invalid_token"')
					.status(401)
					.send('Unauthorized');
		});
}

/** Express. A dead refresh token is `invalid_grant` with status 403, a wrong secret is a 401 in text. Nothing can be revoked. */
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
