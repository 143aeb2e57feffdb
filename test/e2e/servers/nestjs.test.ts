import {randomUUID} from 'node:crypto';
import {
	AuthorizationServer,
	isOAuthError,
	JwtService,
	type OAuthAuthCode,
	type OAuthClient,
	type OAuthToken,
	type OAuthTokenRepository,
} from '@jmondi/oauth2-server';
import {All, Controller, Get, HttpException, Module, Post, Redirect, Req, UnauthorizedException} from '@nestjs/common';
import {NestFactory} from '@nestjs/core';
import type {NestExpressApplication} from '@nestjs/platform-express';
import type {Request as ExpressRequest} from 'express';
import {clientSecretBasic} from 'regrant';
import {beginSignIn, type RealServer, redirect_uri, startNodeServer} from './front.ts';
import {specify} from './specification.ts';

const registered = (id: string, allowedGrants: OAuthClient['allowedGrants']): OAuthClient => ({
	id,
	name: id,
	secret: 'nest-client-secret',
	redirectUris: [redirect_uri],
	allowedGrants,
	scopes: [],
});

// The package lets only clients revoke that may also use client_credentials.
const clients = [
	registered('app', ['authorization_code', 'refresh_token', 'client_credentials']),
	registered('service', ['client_credentials']),
];

const clientNamed = async (id: string): Promise<OAuthClient> => {
	const client = clients.find(client => client.id === id);
	if (!client) throw new Error('No such client');
	return client;
};

/** The table of tokens. A revoked token stays in it, marked as revoked. */
interface Tokens extends OAuthTokenRepository {
	isGood(id: unknown): boolean;
	revokeAccess(id: unknown): void;
	revokeRefresh(id: unknown): void;
}

function createTokens(): Tokens {
	const tokens = new Set<OAuthToken>();
	const revokedAccess = new Set<unknown>();
	const revokedRefresh = new Set<unknown>();
	const find = async (isIt: (token: OAuthToken) => boolean): Promise<OAuthToken> => {
		const token = [...tokens].find(isIt);
		if (!token) throw new Error('No such token');
		return token;
	};
	return {
		issueToken: async (client, scopes, user = null) => ({
			accessToken: randomUUID(),
			accessTokenExpiresAt: new Date(Date.now() + 3_600_000),
			client,
			scopes,
			user,
		}),
		async issueRefreshToken(token) {
			token.refreshToken = randomUUID();
			token.refreshTokenExpiresAt = new Date(Date.now() + 86_400_000);
			return token;
		},
		persist: async token => void tokens.add(token),
		async revoke({accessToken, refreshToken}) {
			revokedAccess.add(accessToken);
			revokedRefresh.add(refreshToken);
		},
		isRefreshTokenRevoked: async ({refreshToken}) => revokedRefresh.has(refreshToken),
		getByRefreshToken: id => find(({refreshToken}) => refreshToken === id),
		getByAccessToken: id => find(({accessToken}) => accessToken === id),
		isGood: id => !revokedAccess.has(id),
		revokeAccess: id => void revokedAccess.add(id),
		revokeRefresh: id => void revokedRefresh.add(id),
	};
}

const jwt = new JwtService('nest-signing-key');

function createAuthorizationServer(tokens: Tokens): AuthorizationServer {
	const codes = new Map<string, OAuthAuthCode>();
	const server = new AuthorizationServer(
		{
			getByIdentifier: clientNamed,
			isClientValid: async (grant, client, secret) => client.allowedGrants.includes(grant) && client.secret === secret,
		},
		tokens,
		{getAllByIdentifiers: async names => names.map(name => ({name})), finalize: async scopes => scopes},
		jwt,
	);
	server.enableGrantType({
		grant: 'authorization_code',
		authCodeRepository: {
			async getByIdentifier(id) {
				const code = codes.get(id);
				if (!code) throw new Error('No such code');
				return code;
			},
			issueAuthCode: (client, user, scopes) => ({
				code: randomUUID(),
				client,
				user: user ?? null,
				scopes,
				expiresAt: new Date(),
			}),
			persist: async code => void codes.set(code.code, code),
			isRevoked: async id => !codes.has(id),
			revoke: async id => void codes.delete(id),
		},
		userRepository: {getUserByCredentials: async id => ({id})},
	});
	return server;
}

/** Nest sends what a controller returns: with status 200 for a GET, and 201 for a POST. */
function createModule(server: AuthorizationServer, tokens: Tokens): new () => object {
	class OAuthController {
		async authorize({headers, query, body = {}}: ExpressRequest): Promise<{readonly url: string}> {
			const authorization = await server.validateAuthorizationRequest({headers, query, body});
			authorization.user = {id: randomUUID()};
			authorization.isAuthorizationApproved = true;
			const {headers: answered} = await server.completeAuthorizationRequest(authorization);
			return {url: answered['location']};
		}

		async token({headers, query, body}: ExpressRequest): Promise<unknown> {
			try {
				return (await server.respondToAccessTokenRequest({headers, query, body})).body;
			} catch (error) {
				if (!isOAuthError(error)) throw error;
				throw new HttpException({error: error.errorType, error_description: error.errorDescription}, error.status);
			}
		}

		async revoke({headers, query, body}: ExpressRequest): Promise<unknown> {
			return (await server.revoke({headers, query, body})).body;
		}

		async me({headers}: ExpressRequest): Promise<unknown> {
			const [, token = ''] = /^Bearer (.*)$/.exec(headers.authorization ?? '') ?? [];
			const claims = await jwt.verify(token).catch(() => undefined);
			if (!claims || !tokens.isGood(claims['jti'])) throw new UnauthorizedException();
			return {subject: claims['sub'] ?? claims['cid']};
		}
	}
	// Decorators are called as functions, because their syntax cannot be erased.
	const {prototype} = OAuthController;
	const route = (name: 'authorize' | 'token' | 'revoke' | 'me', ...decorators: MethodDecorator[]): void => {
		const descriptor = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
		for (const decorate of decorators) decorate(prototype, name, descriptor);
		Req()(prototype, name, 0);
	};
	route('authorize', Get('authorize'), Redirect());
	route('token', Post('token'));
	route('revoke', Post('revoke'));
	route('me', All('me'));
	Controller()(OAuthController);
	// oxlint-disable-next-line typescript/no-extraneous-class -- Nest wants one to decorate
	class ApplicationModule {}
	Module({controllers: [OAuthController]})(ApplicationModule);
	return ApplicationModule;
}

async function claimsOf(token: string): Promise<Record<string, unknown>> {
	return jwt.verify(token);
}

/**
@jmondi/oauth2-server in a controller of NestJS, which answers a POST with 201. Its error for a rejected refresh token is `invalid_request`.
At other servers, that error means a mistake of the programmer and does not end the session, so this client needs `endsSession`.
*/
async function start(origin: string): Promise<RealServer> {
	const tokens = createTokens();
	const nest = await NestFactory.create<NestExpressApplication>(
		createModule(createAuthorizationServer(tokens), tokens),
		{logger: false},
	);
	await nest.init();
	const {handle, close} = await startNodeServer(nest.getHttpAdapter().getInstance());
	const authentications = {
		clientAuthentication: clientSecretBasic('nest-client-secret'),
		wrongAuthentication: clientSecretBasic('wrong'),
	};
	return {
		tokenPath: '/token',
		revocationPath: '/revoke',
		resourcePath: '/me',
		app: {
			clientId: 'app',
			...authentications,
			endsSession: error => error.code === 'oauth_error' && error.error === 'invalid_request',
		},
		service: {clientId: 'service', ...authentications, grant: {grant_type: 'client_credentials', scope: null}},
		handle,
		async signIn() {
			const {parameters, finish} = beginSignIn('app');
			const page = await handle(new Request(`${origin}/authorize?${new URLSearchParams(parameters)}`));
			return finish(page.headers.get('location'));
		},
		expire: async accessToken => tokens.revokeAccess((await claimsOf(accessToken))['jti']),
		kill: async refreshToken => tokens.revokeRefresh((await claimsOf(refreshToken))['refresh_token_id']),
		async close() {
			await Promise.all([close(), nest.close()]);
		},
	};
}

specify({name: '@jmondi/oauth2-server behind NestJS', start, hasSecret: true, hasRevocation: true, hasService: true});
