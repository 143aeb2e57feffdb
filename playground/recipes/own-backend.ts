// Your own backend keeps the refresh token: the page has a cookie that no script can read, and gets access tokens in exchange.
// Run: npx vitest run test/recipes/own-backend.test.ts
import process from 'node:process';
import ky from 'ky';
import {type AccessToken, createSession, isSignedOut} from 'regrant';

/** What the backend answers. */
interface Renewed {
	readonly accessToken: string;
	/** Seconds. */
	readonly expiresIn: number;
}

const {BACKEND = '', API = ''} = process.env; // `import.meta.env` in a page

// A call that fails for now is tried again with the next one, and not by ky, whose waiting would hold everybody up.
const backend = ky.create({baseUrl: BACKEND, credentials: 'include', retry: 0});

export const auth = createSession({
	// Runs once for all calls that wait. A 401 from the backend ends the session, a 503 is an error of these calls alone.
	async renew({signal}) {
		const {accessToken, expiresIn} = await backend.post('session/refresh', {signal}).json<Renewed>();
		return {access_token: accessToken, expires_in: expiresIn};
	},
	origins: [API],
});

export const api = ky.extend({baseUrl: API, hooks: auth.hooks});

/** On page load nothing is stored in the page, so it is the backend that knows whether somebody is signed in. */
export async function resume(): Promise<AccessToken | undefined> {
	try {
		return await auth.refresh();
	} catch (error) {
		if (isSignedOut(error)) return undefined;
		throw error;
	}
}

/** Forgets the access token first, then has the backend revoke the refresh token and delete the cookie. */
export async function signOut(): Promise<void> {
	await auth.signOut();
	await backend.delete('session');
}
