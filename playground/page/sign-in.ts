import ky from 'ky';
import type {AuthToken} from 'regrant';

/** What a login gives. */
export interface Login extends AuthToken {
	readonly access_token: string;
	readonly refresh_token: string;
}

/** Signs Ann in. The server gives what it would give after a login page. */
export async function signIn(): Promise<Login> {
	return ky.post('/login').json<Login>();
}

/** Makes the API refuse an access token from now on, as if it had expired. Without an argument: every access token. */
export async function expire(accessToken?: string): Promise<void> {
	await ky.post('/expire', {json: accessToken ?? null});
}
