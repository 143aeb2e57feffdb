import {OAuth2Client, OAuth2Fetch} from '@badgateway/oauth2-client';
import ky, {type KyInstance} from 'ky';
import {customFetch, protectedResourceRequest, type ProtectedResourceRequestOptions} from 'oauth4webapi';
import {createAuth} from 'regrant';
import {dpop} from 'regrant/dpop';

/** What a benchmark's client needs: the servers, and the tokens to begin with. */
export interface Place {
	readonly fetch: typeof fetch;
	/** The origin of the API and of the token endpoint, `/token`. */
	readonly origin: string;
	readonly access_token: string;
	readonly refresh_token: string;
}

/** One way to call an API with an access token. Both calls read the answer to its end. */
export interface Client {
	get(): Promise<unknown>;
	post(): Promise<unknown>;
}

const body = {amount: 1204, currency: 'USD'};

/** The clients that are compared, by name. The others are measured against the first one. */
export const clients: Readonly<Record<string, (place: Place) => Client | Promise<Client>>> = {
	'ky, no token': ({origin, fetch}) => onKy(ky.create({baseUrl: origin, fetch})),
	'ky, token hard-coded in headers': ({origin, fetch, access_token}) =>
		onKy(ky.create({baseUrl: origin, fetch, headers: {authorization: `Bearer ${access_token}`}})),
	regrant,
	'regrant, dpop()': regrantWithProofs,
	"ky, its readme's recipe": readmeRecipe,
	'@badgateway/oauth2-client': badgateway,
	'oauth4webapi, no retry': oauth4webapi,
};

function onKy(api: KyInstance): Client {
	return {
		get: () => api.get('accounts').json(),
		post: () => api.post('accounts', {json: body}).json(),
	};
}

/** A session at the benchmark's servers. As far as the client knows, its token is valid for an hour. */
export async function regrant({origin, fetch, access_token, refresh_token}: Place): Promise<Client> {
	const auth = createAuth({tokenEndpoint: `${origin}/token`, clientId: 'app', fetch});
	await auth.setToken({access_token, refresh_token, token_type: 'Bearer', expires_in: 3600});
	return onKy(ky.create({baseUrl: origin, fetch, hooks: auth.hooks}));
}

/** A session whose tokens are bound to a key (DPoP), so each call needs a signature. */
async function regrantWithProofs({origin, fetch, access_token, refresh_token}: Place): Promise<Client> {
	const auth = createAuth({tokenEndpoint: `${origin}/token`, clientId: 'app', fetch, scheme: dpop()});
	await auth.setToken({access_token, refresh_token, token_type: 'DPoP', expires_in: 3600});
	return onKy(ky.create({baseUrl: origin, fetch, hooks: auth.hooks}));
}

// The afterResponse hook of ky's readme, with the beforeRequest hook that it needs.
function readmeRecipe({origin, fetch, ...token}: Place): Client {
	let {access_token, refresh_token} = token;
	const refresh = async (): Promise<void> => {
		const body = new URLSearchParams({grant_type: 'refresh_token', refresh_token, client_id: 'app'});
		({access_token, refresh_token} = await ky.post(`${origin}/token`, {body, fetch}).json<typeof token>());
	};
	return onKy(
		ky.create({
			baseUrl: origin,
			fetch,
			hooks: {
				beforeRequest: [({request}) => request.headers.set('Authorization', `Bearer ${access_token}`)],
				afterResponse: [
					async ({request, response, retryCount}) => {
						if (response.status !== 401 || retryCount > 0) return undefined;
						await refresh();
						const headers = new Headers(request.headers);
						headers.set('Authorization', `Bearer ${access_token}`);
						return ky.retry({request: new Request(request, {headers}), code: 'TOKEN_REFRESHED'});
					},
				],
			},
		}),
	);
}

function badgateway({origin, fetch, access_token, refresh_token}: Place): Client {
	const client = new OAuth2Client({server: origin, clientId: 'app', tokenEndpoint: '/token', fetch});
	const token = {accessToken: access_token, refreshToken: refresh_token, expiresAt: Date.now() + 3_600_000};
	const session = new OAuth2Fetch({
		client,
		getNewToken: () => null,
		getStoredToken: () => token,
		scheduleRefresh: false,
	});
	const call = session.mw();
	const json = {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)};
	return {
		get: async () => (await call(new Request(`${origin}/accounts`), fetch)).json(),
		post: async () => (await call(new Request(`${origin}/accounts`, json), fetch)).json(),
	};
}

function oauth4webapi({origin, fetch, access_token}: Place): Client {
	const call = async (method: string, headers?: Headers, text?: string): Promise<unknown> => {
		const url = new URL(`${origin}/accounts`);
		const options: ProtectedResourceRequestOptions = {
			[customFetch]: (url, init) => fetch(url, init as RequestInit), // the types of `fetch` do not allow an explicit undefined here, but ky passes one
		};
		return (await protectedResourceRequest(access_token, method, url, headers, text, options)).json();
	};
	return {
		get: () => call('GET'),
		post: () => call('POST', new Headers({'content-type': 'application/json'}), JSON.stringify(body)),
	};
}
