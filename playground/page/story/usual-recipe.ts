import ky, {type KyInstance} from 'ky';
import type {Login} from '../sign-in.ts';
import type {Contender} from './contender.ts';

/**
Connects with the usual recipe, as it is written by hand all over the web: one hook puts the token on, another refreshes it
after a 401 and tries again. Every call that gets a 401 refreshes for itself, with whatever refresh token it finds.
*/
export async function connectByRecipe({baseUrl, tokenEndpoint, login, fetch}: Contender): Promise<KyInstance> {
	// #region shown
	let {access_token, refresh_token} = login;

	return ky.extend({
		baseUrl,
		retry: 1,
		hooks: {
			beforeRequest: [
				({request}) => {
					request.headers.set('authorization', `Bearer ${access_token}`);
				},
			],
			afterResponse: [
				async ({request, response, retryCount}) => {
					if (response.status !== 401 || retryCount > 0) return undefined;

					const body = new URLSearchParams({
						grant_type: 'refresh_token',
						client_id: 'app',
						refresh_token,
					});
					const answer = await fetch(tokenEndpoint, {method: 'POST', body});
					const token: Partial<Login> = await answer.json();
					({access_token = access_token, refresh_token = refresh_token} = token);

					const headers = new Headers(request.headers);
					headers.set('authorization', `Bearer ${access_token}`);
					return ky.retry({request: new Request(request, {headers}), delay: 0});
				},
			],
		},
	});
	// #endregion
}
