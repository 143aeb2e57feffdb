// A command-line tool on Deno. Its user logs in once, on any device with a browser. From then on the tool runs by itself, daily, or several
// times at once. Run: npx vitest run test/recipes/device-cli.test.ts
import process from 'node:process';
import ky from 'ky';
import {createAuth, isSignedOut} from 'regrant';
import {fileStore} from 'regrant/file';
import {deviceLogin, discover} from 'regrant/login';

const {ISSUER = '', CLIENT_ID = '', API = '', HOME = '.'} = process.env;

const client = {...(await discover(ISSUER)), clientId: CLIENT_ID};

const auth = createAuth({
	...client,
	store: fileStore(`${HOME}/.config/my-tool/session.json`),
	origins: [API],
	// Without a token, a call is not sent, and the user logs in first.
	requireToken: true,
});

const api = ky.extend({baseUrl: API, hooks: auth.hooks});

async function logIn(): Promise<void> {
	const scope = 'openid offline_access /accounts.read';
	// Ctrl+C stops it. A lost connection does not.
	const token = await deviceLogin({...client, scope}, ({user_code, verification_uri}) => {
		console.log(`Open ${verification_uri} and enter ${user_code}`);
	});
	await auth.setToken(token);
}

async function showUser(): Promise<void> {
	const {subject} = await api.get('me').json<{readonly subject: string}>();
	console.log(`You are ${subject}`);
}

if (process.argv[2] === 'logout') {
	await auth.signOut();
} else {
	try {
		await showUser();
	} catch (error) {
		// The user has never logged in, has logged out, or the server has ended the session.
		if (!isSignedOut(error)) throw error;
		await logIn();
		await showUser();
	}
}
auth.close();
