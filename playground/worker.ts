// A Worker that calls an API. All of its isolates share one token. This is the complete example of the README.
import {env, waitUntil} from 'cloudflare:workers';
import ky from 'ky';
import {clientSecretPost, createAuth, isRegrantError} from 'regrant';
import {durableObjectStore} from 'regrant/cloudflare';

export {TokenVault} from 'regrant/cloudflare';

// At module scope a Worker may not send requests. createAuth sends none before the first call.
const auth = createAuth({
	tokenEndpoint: env.TOKEN_ENDPOINT,
	clientId: env.CLIENT_ID,
	clientAuthentication: clientSecretPost(env.CLIENT_SECRET),
	grant: {grant_type: 'client_credentials', scope: '/accounts.read'},
	store: durableObjectStore(() => env.VAULT.getByName('service')),
	waitUntil,
});

// No event holds a secret, so every event can be logged.
auth.subscribe(event => console.log(JSON.stringify(event)));

const api = ky.extend({baseUrl: env.API, hooks: auth.hooks});

export default {
	async fetch({url}: Request): Promise<Response> {
		if (new URL(url).pathname !== '/accounts') return new Response(null, {status: 404});
		try {
			return Response.json(await api.get('accounts').json());
		} catch (error) {
			if (!isRegrantError(error)) throw error;
			return Response.json(error, {status: error.retryable ? 503 : 500});
		}
	},
};
