// A command-line tool for Deno: its user logs in once, on any device that has a browser. From then on the tool runs by itself, daily or
// several times at once. Run: npx vitest run test/recipes/device-cli.test.ts
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
	// Without a token nothing is sent: there is a login first.
	requireToken: true,
});

const api = ky.extend({baseUrl: API, hooks: auth.hooks});

async function logIn(): Promise<void> {
	const scope = 'openid offline_access /accounts.read';
	// Ctrl+C ends it. A lost connection does not.
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
		// Never logged in, logged out, or the server has ended the session.
		if (!isSignedOut(error)) throw error;
		await logIn();
		await showUser();
	}
}
auth.close();
