import ky from 'ky';
import {expect, onTestFinished, test} from 'vitest';
import {createAuth} from '../../../src/index.ts';

const elsewhere = 'https://evil.example';
const accessToken = 'token-of-the-page';

/** Injects a <base>, as an attacker can who may write markup into a page. */
function injectBase(href: string): void {
	const base = document.createElement('base');
	base.href = href;
	document.head.prepend(base);
	onTestFinished(() => base.remove());
}

/** Returns the origin that a call goes to, and whether it carries the token. The call itself is not sent. */
async function send(input: string, options: {readonly baseUrl?: string; readonly prefix?: string}) {
	const auth = createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'app'});
	await auth.setToken({access_token: accessToken});
	const sent: Array<readonly [origin: string, hasToken: boolean]> = [];
	const answer = async (request: RequestInfo | URL): Promise<Response> => {
		const {url, headers} = request as Request; // ky and regrant always pass a `Request`
		sent.push([new URL(url).origin, (headers.get('authorization') ?? '').includes(accessToken)]);
		return new Response();
	};
	await ky.get(input, {...options, hooks: auth.hooks, retry: 0, fetch: answer}).catch(() => {});
	return sent;
}

const relative = [
	['baseUrl', 'me', {baseUrl: '/api/'}],
	['baseUrl without a slash', 'me', {baseUrl: 'api/'}],
	['baseUrl of dots', 'me', {baseUrl: './'}],
	['prefix', 'me', {prefix: '/api'}],
	['prefix without a slash', 'me', {prefix: 'api'}],
	['baseUrl, and an absolute path', '/me', {baseUrl: '/api/'}],
] as const;

test.for(relative)('a relative %s leads to the page, which gets the token', async ([, input, options]) => {
	expect(await send(input, options)).toEqual([[location.origin, true]]);
});

test.for(
	relative.flatMap(([title, ...rest]) =>
		[`${elsewhere}/`, '//evil.example/', `${elsewhere}/a/b`].map(href => [title, href, ...rest] as const),
	),
)(
	'a relative %s gives no token to where an injected <base href="%s"> leads [F-157]',
	async ([, href, input, options]) => {
		injectBase(href);
		for (const [origin, hasToken] of await send(input, options))
			expect([origin, hasToken]).toEqual([origin, origin === location.origin]);
	},
);
