import type {OAuthServerProvider} from '@modelcontextprotocol/sdk/server/auth/provider.js';
import {InvalidGrantError, InvalidTokenError} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import {requireBearerAuth} from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import {mcpAuthRouter} from '@modelcontextprotocol/sdk/server/auth/router.js';
import type {OAuthTokens} from '@modelcontextprotocol/sdk/shared/auth.js';
import express from 'express';
import {clientSecretPost} from 'regrant';
import {beginSignIn, type RealServer, redirect_uri, startNodeServer} from './front.ts';
import {specify} from './specification.ts';
import {createTokenTable, type Issued, type TokenTable} from './token-table.ts';

const client = {client_id: 'inspector', client_secret: 'mcp-client-secret', redirect_uris: [redirect_uri]};

function createProvider(table: TokenTable): OAuthServerProvider {
	const answer = (entry: Issued | undefined, clientId: string): OAuthTokens => {
		if (entry?.clientId !== clientId) throw new InvalidGrantError('Not known, or used before');
		return {...table.issuePair(entry), token_type: 'bearer', expires_in: 3600, scope: 'mcp:tools'};
	};
	return {
		clientsStore: {getClient: id => (id === client.client_id ? client : undefined)},
		async authorize({client_id}, {codeChallenge, redirectUri, state = ''}, response) {
			const code = table.issueCode({clientId: client_id, subject: crypto.randomUUID(), codeChallenge});
			response.redirect(`${redirectUri}?${new URLSearchParams({code, state})}`);
		},
		challengeForAuthorizationCode: async (_client, code) => table.codeOf(code)?.codeChallenge ?? '',
		exchangeAuthorizationCode: async ({client_id}, code) => answer(table.useCode(code), client_id),
		exchangeRefreshToken: async ({client_id}, token) => answer(table.useRefreshToken(token), client_id),
		async verifyAccessToken(token) {
			const entry = table.accessOf(token);
			if (!entry) throw new InvalidTokenError('Not known, or expired');
			return {token, clientId: entry.clientId, scopes: ['mcp:tools'], expiresAt: Date.now() / 1000 + 3600};
		},
		revokeToken: async (_client, {token}) => table.revoke(token),
	};
}

/**
The SDK's router on Express, with its limit of 50 token requests in 15 minutes. Clients can authenticate only in the body. The answer to a
wrong secret has status 400.
*/
async function start(origin: string): Promise<RealServer> {
	const table = createTokenTable();
	const provider = createProvider(table);
	const {handle, close} = await startNodeServer(
		express()
			.use(mcpAuthRouter({provider, issuerUrl: new URL(origin)}))
			.all('/mcp', requireBearerAuth({verifier: provider}), (_request, response) => void response.json({})),
	);
	const visit = async (url: string): Promise<string | null> => (await handle(new Request(url))).headers.get('location');
	return {
		tokenPath: '/token',
		revocationPath: '/revoke',
		resourcePath: '/mcp',
		app: {
			clientId: client.client_id,
			clientAuthentication: clientSecretPost(client.client_secret),
			wrongAuthentication: clientSecretPost('wrong'),
		},
		handle,
		async signIn() {
			const {parameters, finish} = beginSignIn(client.client_id, {scope: 'mcp:tools'});
			return finish(await visit(`${origin}/authorize?${new URLSearchParams(parameters)}`));
		},
		login: {issuerPath: '/', scope: 'mcp:tools', visit},
		expire: async accessToken => table.expire(accessToken),
		kill: async refreshToken => table.revoke(refreshToken),
		close,
	};
}

specify({
	name: 'the authorization server of the MCP SDK',
	start,
	hasMetadata: true,
	hasSecret: true,
	hasRevocation: true,
});
