// openapi-fetch: a client on `auth.fetch` with the types of an API's description. Run: npx vitest run test/recipes/openapi-fetch.test.ts
import process from 'node:process';
import createClient from 'openapi-fetch';
import {createAuth} from 'regrant';

interface Json<Body> {
	readonly content: {readonly 'application/json': Body};
}

interface Echo {
	readonly subject: string;
	/** The body that was sent. */
	readonly body: string;
}

/** A short version of what `npx openapi-typescript openapi.json` writes. */
export interface paths {
	'/me': {get: {responses: {200: Json<Echo>}}};
	'/accounts': {
		get: {responses: {200: Json<Echo>}};
		post: {requestBody: Json<{readonly name: string}>; responses: {200: Json<Echo>; 403: {content?: never}}};
	};
}

const {TOKEN_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env;

export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID, origins: [API]});

/** Calls return `{data, error}`. The error of a failed renewal is thrown: see `isRegrantError`. */
export const api = createClient<paths>({baseUrl: API, fetch: auth.fetch});

/** Reads who is signed in, and opens an account for them. */
export async function openAccount(name: string): Promise<{readonly subject: string; readonly isOpen: boolean}> {
	const [me, account] = await Promise.all([api.GET('/me'), api.POST('/accounts', {body: {name}})]);
	if (!me.data) throw new Error(`Not signed in: ${me.response.status}`);
	return {subject: me.data.subject, isOpen: account.data !== undefined};
}
