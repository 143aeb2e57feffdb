import ky, {type KyInstance} from 'ky';
import type {Lane} from './lane.ts';
import type {Place} from './session.ts';

/** What a login gives. */
export interface Login {
	readonly access_token: string;
	readonly refresh_token: string;
}

/**
The usual recipe, as it is written by hand all over the web: one hook puts the token on, another refreshes it on a 401 and
tries again. Every call that is refused refreshes for itself, with whatever refresh token it finds.
*/
export function createRecipe(
	{api: baseUrl, tokenEndpoint}: Pick<Place, 'api' | 'tokenEndpoint'>,
	{fetch}: Pick<Lane, 'fetch'>,
	login: Login,
): KyInstance {
	let {access_token, refresh_token} = login;
	return ky.extend({
		baseUrl,
		retry: 1,
		hooks: {
			beforeRequest: [({request}) => request.headers.set('authorization', `Bearer ${access_token}`)],
			afterResponse: [
				async ({request, response, retryCount}) => {
					if (response.status !== 401 || retryCount > 0) return undefined;
					const body = new URLSearchParams({grant_type: 'refresh_token', client_id: 'app', refresh_token});
					const answer = await (await fetch(tokenEndpoint, {method: 'POST', body})).json();
					({access_token = access_token, refresh_token = refresh_token} = answer as Partial<Login>);
					const headers = new Headers(request.headers);
					headers.set('authorization', `Bearer ${access_token}`);
					return ky.retry({request: new Request(request, {headers}), delay: 0});
				},
			],
		},
	});
}
