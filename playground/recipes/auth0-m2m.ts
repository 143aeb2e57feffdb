// Auth0, machine to machine: a token is for an audience. The dashboard decides what it may do, so the request has no scope. Other servers
// call the parameter `resource` (RFC 8707). Run: npx vitest run test/recipes/auth0-m2m.test.ts
import process from 'node:process';
import ky from 'ky';
import {clientSecretPost, createAuth} from 'regrant';

// https://<your tenant>.auth0.com/oauth/token, and the identifier of the API from the dashboard.
const {TOKEN_ENDPOINT = '', CLIENT_ID = '', CLIENT_SECRET = '', AUDIENCE = '', API = ''} = process.env;

export const auth = createAuth({
	tokenEndpoint: TOKEN_ENDPOINT,
	clientId: CLIENT_ID,
	clientAuthentication: clientSecretPost(CLIENT_SECRET),
	// `scope` is required, so that nobody forgets it. Null means that the server has no scopes.
	grant: {grant_type: 'client_credentials', scope: null},
	parameters: {audience: AUDIENCE},
});

export const api = ky.extend({baseUrl: API, hooks: auth.hooks});
