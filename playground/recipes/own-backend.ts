// Your own backend keeps the refresh token. The page has a cookie that no script can read, and gets access tokens for it.
// Run: npx vitest run test/recipes/own-backend.test.ts
import process from 'node:process';
import ky from 'ky';
import {type AccessToken, createSession, isSignedOut} from 'regrant';

/** The response of the backend. */
interface Renewed {
	readonly accessToken: string;
	/** Seconds. */
	readonly expiresIn: number;
}

const {BACKEND = '', API = ''} = process.env; // `import.meta.env` in a page

// ky must not retry this: everybody would wait for it. After a failure, the next call tries again.
const backend = ky.create({baseUrl: BACKEND, credentials: 'include', retry: 0});

export const auth = createSession({
	// Runs once for all waiting calls. A 401 of the backend ends the session. After a 503 only these calls fail.
	async renew({signal}) {
		const {accessToken, expiresIn} = await backend.post('session/refresh', {signal}).json<Renewed>();
		return {access_token: accessToken, expires_in: expiresIn};
	},
	origins: [API],
});

export const api = ky.extend({baseUrl: API, hooks: auth.hooks});

/** Call it on page load. The page itself stores nothing, so only the backend knows whether somebody is signed in. */
export async function resume(): Promise<AccessToken | undefined> {
	try {
		return await auth.refresh();
	} catch (error) {
		if (isSignedOut(error)) return undefined;
		throw error;
	}
}

/** Deletes the access token first. Then the backend revokes the refresh token and deletes the cookie. */
export async function signOut(): Promise<void> {
	await auth.signOut();
	await backend.delete('session');
}
