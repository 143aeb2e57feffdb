import {createLogin, type Login} from 'regrant/login';
import type {Place} from './session.ts';

/** Creates the logins of this page. The browser leaves for the login page of the server, and comes back to this one. */
export function createPageLogin({server}: Place): Login {
	return createLogin({
		...server,
		clientId: 'app',
		redirectUri: `${location.origin}/`,
		scope: 'openid offline_access /accounts.read',
		// Without it the server gives no refresh token.
		parameters: {prompt: 'consent'},
	});
}
