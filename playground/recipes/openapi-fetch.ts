// openapi-fetch: a client that is typed by the description of an API, on `auth.fetch`.
// Run: npx vitest run test/recipes/openapi-fetch.test.ts
import process from 'node:process';
import createClient from 'openapi-fetch';
import {createAuth} from 'regrant';

interface Json<Body> {
	readonly content: {readonly 'application/json': Body};
}

interface Echo {
	readonly subject: string;
	/** What was sent. */
	readonly body: string;
}

/** What `npx openapi-typescript openapi.json` would write, in short. */
export interface paths {
	'/me': {get: {responses: {200: Json<Echo>}}};
	'/accounts': {
		get: {responses: {200: Json<Echo>}};
		post: {requestBody: Json<{readonly name: string}>; responses: {200: Json<Echo>; 403: {content?: never}}};
	};
}

const {TOKEN_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env;

export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID, origins: [API]});

/** Answers `{data, error}`. What a renewal fails with is thrown: see `isRegrantError`. */
export const api = createClient<paths>({baseUrl: API, fetch: auth.fetch});

/** Who is signed in, and the account that is opened for them. */
export async function openAccount(name: string): Promise<{readonly subject: string; readonly isOpen: boolean}> {
	const [me, account] = await Promise.all([api.GET('/me'), api.POST('/accounts', {body: {name}})]);
	if (!me.data) throw new Error(`Not signed in: ${me.response.status}`);
	return {subject: me.data.subject, isOpen: account.data !== undefined};
}
