// Auth0, machine to machine: a token is for an audience, and what it may do is set in the dashboard, so that no scope is asked for.
// Other servers call the parameter `resource` (RFC 8707). Run: npx vitest run test/recipes/auth0-m2m.test.ts
import process from 'node:process';
import ky from 'ky';
import {clientSecretPost, createAuth} from 'regrant';

// https://<your tenant>.auth0.com/oauth/token, and the identifier of the API as the dashboard has it.
const {TOKEN_ENDPOINT = '', CLIENT_ID = '', CLIENT_SECRET = '', AUDIENCE = '', API = ''} = process.env;

export const auth = createAuth({
	tokenEndpoint: TOKEN_ENDPOINT,
	clientId: CLIENT_ID,
	clientAuthentication: clientSecretPost(CLIENT_SECRET),
	// Null, and not left out: to forget the scope would otherwise show when a call is refused.
	grant: {grant_type: 'client_credentials', scope: null},
	parameters: {audience: AUDIENCE},
});

export const api = ky.extend({baseUrl: API, hooks: auth.hooks});
