// Logins on every runtime. The metadata comes from a real server. The login itself is answered in memory, because nobody can fill in a
// form.
import {createLogin, deviceLogin, discover, type LoginStorage} from 'regrant/login';
import type {Runner} from './auth.spec.ts';
import {reasonOf} from './outcome.ts';

/** The globals that only a page has. */
interface Page {
	readonly history?: History;
	readonly location?: Location;
}

/** The storage of one user on a server, where no storage belongs to a tab. */
function createStorage(): LoginStorage {
	const entries = new Map<string, string>();
	return {
		getItem: async key => entries.get(key),
		setItem: async (key, text) => entries.set(key, text),
		removeItem: async key => entries.delete(key),
	};
}

/** Creates an unsigned ID token with the claims of somebody who has just logged in. */
function idTokenOf(claims: object): string {
	const bytes = new TextEncoder().encode(JSON.stringify(claims));
	const text = btoa(String.fromCharCode(...bytes));
	return `e30.${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.c2ln`;
}

/** Computes the code challenge of a verifier (RFC 7636 §4.2). */
async function challengeOf(verifier: string | null): Promise<string> {
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier ?? ''));
	const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
	return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Defines tests of the discovery, of a login that comes back to its page, and of a device login. */
export function loginSpec({test, equal, lab, traits}: Pick<Runner, 'test' | 'equal' | 'lab' | 'traits'>): void {
	const issuer = new URL(lab.tokenEndpoint).origin;
	// A login needs https or loopback, and the page of happy-dom has neither.
	const isPage = traits.isPage && location.hostname === '127.0.0.1';
	const page: Page = isPage ? globalThis : {};
	const redirectUri = `${page.location?.origin ?? 'https://app.example'}/callback`;

	test('discover reads the metadata of a real server', async () => {
		const server = await discover(issuer);
		equal(
			[server.issuer, server.tokenEndpoint, server.revocationEndpoint],
			[issuer, lab.tokenEndpoint, lab.revocationEndpoint],
		);
		const reason = await reasonOf(discover(`${issuer}/`));
		equal((reason as Error).message, `The issuer is ${issuer}: discover takes it letter by letter`);
	});

	test('a login comes back to where it began, once, and leaves nothing in the address bar', async () => {
		const bodies: URLSearchParams[] = [];
		let nonce: string | null = null;
		const login = createLogin({
			...(await discover(issuer)),
			clientId: lab.app,
			redirectUri,
			scope: 'openid',
			storage: isPage ? undefined : createStorage(),
			async fetch(_url, init) {
				if (page.location) equal(page.location.href, redirectUri);
				bodies.push(new URLSearchParams(init?.body as string));
				const now = Date.now() / 1000;
				const claims = {iss: issuer, aud: lab.app, sub: 'Änn', iat: now, exp: now + 60, nonce};
				return Response.json({access_token: 'at', id_token: idTokenOf(claims)});
			},
		});
		const {searchParams} = new URL(await login.start({returnTo: '/accounts?page=2'}));
		nonce = searchParams.get('nonce');
		const answer = new URLSearchParams({code: 'code', state: searchParams.get('state') ?? '', iss: issuer});
		const url = `${redirectUri}?${answer}`;
		const before = page.location?.href;
		page.history?.replaceState(null, '', url);
		// A page reads its own URL. A server has to pass it.
		const given = page.history ? undefined : url;
		equal(login.isCallback(given), true);
		const {token, returnTo, claims} = await login.finish(given);
		equal([token.access_token, returnTo, claims?.sub], ['at', '/accounts?page=2', 'Änn']);
		equal(await challengeOf(bodies[0]?.get('code_verifier') ?? null), searchParams.get('code_challenge'));
		page.history?.replaceState(null, '', before);
		equal(
			((await reasonOf(login.finish(url))) as Error).message,
			'This login is over, or began in another tab: begin another login',
		);
		equal(bodies.length, 1);
	});

	test('a device login gives its token once the user has agreed', async () => {
		let requests = 0;
		const answers = [
			{device_code: 'd', user_code: 'U', verification_uri: 'https://as.example/', expires_in: 60, interval: 1},
			{error: 'authorization_pending'},
			{access_token: 'at'},
		];
		const shown: string[] = [];
		const token = await deviceLogin(
			{
				tokenEndpoint: lab.tokenEndpoint,
				deviceAuthorizationEndpoint: lab.tokenEndpoint,
				clientId: lab.app,
				fetch: async () => Response.json(answers[requests++]),
			},
			({user_code, verification_uri}) => void shown.push(user_code, verification_uri),
		);
		equal([token.access_token, requests, shown], ['at', 3, ['U', 'https://as.example/']]);
		const controller = new AbortController();
		requests = 0;
		const prompt = (): void => controller.abort();
		const options = {
			tokenEndpoint: lab.tokenEndpoint,
			deviceAuthorizationEndpoint: lab.tokenEndpoint,
			clientId: lab.app,
			fetch: async () => Response.json(answers[requests++]),
		};
		equal(((await reasonOf(deviceLogin(options, prompt, {signal: controller.signal}))) as Error).name, 'AbortError');
	});
}
