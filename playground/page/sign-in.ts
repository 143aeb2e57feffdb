import ky from 'ky';
import type {AuthToken} from 'regrant';

/** What a login gives. */
export interface Login extends AuthToken {
	readonly access_token: string;
	readonly refresh_token: string;
}

/** Signs Ann in: the server gives the tokens that it would give at the end of a login page. */
export async function signIn(): Promise<Login> {
	return ky.post('/login').json<Login>();
}

/** Has the API refuse an access token from now on, as if its time were over. Without one, it refuses all of them. */
export async function expire(accessToken?: string): Promise<void> {
	await ky.post('/expire', {json: accessToken ?? null});
}
