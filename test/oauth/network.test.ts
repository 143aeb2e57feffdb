import {createServer} from 'node:https';
import {describe, expect} from 'vitest';
import {
	clientSecretPost,
	createAuth,
	requestToken,
	revokeToken,
	type TokenClient,
	TokenNetworkError,
} from '../../src/index.ts';
import {createSelfSigned} from '../support/self-signed.ts';
import {listen, refusedAt, shut} from '../support/serve.ts';
import {test} from '../support/test.ts';

const refreshing = {grant_type: 'refresh_token', refresh_token: 'rt-canary-Vb2n'} as const;
const secret = 'cs-canary-Kd82';
const token = {access_token: 'at-canary-Jw6s', token_type: 'Bearer', refresh_token: 'rt-canary-new-Xp4'};

const at = (origin: string, options: Partial<TokenClient> = {}): TokenClient => ({
	tokenEndpoint: `${origin}/token?tenant=a`,
	revocationEndpoint: `${origin}/revoke`,
	clientId: 'client',
	clientAuthentication: clientSecretPost(secret),
	...options,
});

/** A `fetch` that rejects with this error. */
const failing = (error: unknown): Partial<TokenClient> => ({
	fetch: async () => {
		throw error; // oxlint-disable-line typescript/only-throw-error -- a platform may throw any value
	},
});

describe('a token request that cannot connect', () => {
	test("the error of a token request that cannot connect has the platform's code in its message, and not the platform's error [R90]", async ({
		serve,
		canaries,
	}) => {
		const origin = refusedAt((await serve(() => ({status: 200}))).origin);
		const calls = [
			async () => requestToken(at(origin), refreshing),
			async () => revokeToken(at(origin), {token: 'rt-canary-Vb2n'}),
		];
		for (const call of calls) {
			const error = await canaries.rejection(call());
			expect(error).toMatchObject({
				name: 'TokenNetworkError',
				code: 'network',
				platformCode: 'ECONNREFUSED',
				retryable: true,
				message: `POST ${origin}: ECONNREFUSED`,
			});
			expect(error).not.toHaveProperty('cause');
		}
	});

	test('the error of a token request says that the certificate is not trusted', async ({canaries}) => {
		const server = createServer(createSelfSigned(), (_request, response) => response.end());
		const origin = (await listen(server)).replace('http:', 'https:');
		try {
			const error = await canaries.rejection(requestToken(at(origin), refreshing));
			expect(error).toBeInstanceOf(TokenNetworkError);
			expect(error).toMatchObject({
				platformCode: 'DEPTH_ZERO_SELF_SIGNED_CERT',
				message: `POST ${origin}: DEPTH_ZERO_SELF_SIGNED_CERT`,
			});
		} finally {
			await shut(server);
		}
	});

	test.for<readonly [platform: string, error: unknown, platformCode: string | undefined, retryable: boolean]>([
		[
			'Node',
			new TypeError('fetch failed', {cause: Object.assign(new Error('getaddrinfo'), {code: 'ENOTFOUND'})}),
			'ENOTFOUND',
			true,
		],
		['Node, of a socket', new TypeError('fetch failed', {cause: {code: 'UND_ERR_SOCKET'}}), 'UND_ERR_SOCKET', true],
		['Bun', Object.assign(new Error('Unable to connect'), {code: 'ConnectionRefused'}), 'ConnectionRefused', true],
		[
			'node-fetch',
			Object.assign(new Error('request failed'), {code: 'ECONNRESET', type: 'system'}),
			'ECONNRESET',
			true,
		],
		['Deno without a permission', Object.assign(new Error('net'), {name: 'NotCapable'}), 'NotCapable', false],
		['Deno 1 without it', Object.assign(new Error('net'), {name: 'PermissionDenied'}), 'PermissionDenied', false],
		['browsers', new TypeError('Failed to fetch'), undefined, true],
		['browsers that abort', new DOMException('gone', 'AbortError'), undefined, true],
		['a code that is a secret', Object.assign(new Error(''), {code: secret}), undefined, true],
		['a code that is a token', Object.assign(new Error(''), {code: 'eyJhbGciOiJub25lIn0'}), undefined, true],
		['a code that is an object', Object.assign(new Error(''), {code: {toString: () => 'ENOTFOUND'}}), undefined, true],
		['a name that is a secret', Object.assign(new Error(''), {name: secret}), undefined, true],
	])(
		'the error of a token request that cannot connect knows the code of %s',
		async ([, thrown, platformCode, retryable], {canaries}) => {
			canaries.plant(secret, 'client secret');
			canaries.plant('eyJhbGciOiJub25lIn0', 'token');
			const client = at('https://login.example.com', failing(thrown));
			const error = await canaries.rejection(requestToken(client, refreshing));
			expect(error).toMatchObject({
				code: 'network',
				retryable,
				message: `POST https://login.example.com: ${platformCode ?? 'no connection'}`,
			});
			expect((error as TokenNetworkError).platformCode).toBe(platformCode);
			expect(Object.hasOwn(error as object, 'platformCode')).toBe(platformCode !== undefined);
		},
	);

	test('the search for a code ends if causes are circular, or throw', async ({canaries}) => {
		const round: {cause?: unknown} = {};
		round.cause = round;
		const throwing = new Proxy(
			{},
			{
				get: () => {
					throw new Error(secret);
				},
			},
		);
		canaries.plant(secret, 'client secret');
		for (const thrown of [round, throwing, {cause: throwing}]) {
			const error = await canaries.rejection(requestToken(at('https://as.example', failing(thrown)), refreshing));
			expect(error).toMatchObject({code: 'network', message: 'POST https://as.example: no connection'});
		}
	});

	test('a session gets the same network error, and goes on', async ({canaries, watch}) => {
		const thrown = new TypeError('fetch failed', {cause: Object.assign(new Error(''), {code: 'ENOTFOUND'})});
		const auth = watch(createAuth(at('https://login.example.com', failing(thrown))));
		await auth.setToken(token);
		const error = await canaries.rejection(auth.refresh());
		expect(error).toMatchObject({name: 'TokenNetworkError', message: 'POST https://login.example.com: ENOTFOUND'});
		expect(await auth.peek()).toMatchObject({access_token: token.access_token});
	});
});

describe('a deadline', () => {
	test('a missed deadline has its milliseconds and the endpoint in its message [R18]', async ({canaries}) => {
		const client = at('https://login.example.com', {timeout: 20, fetch: () => new Promise<Response>(() => {})});
		expect(await canaries.rejection(requestToken(client, refreshing))).toMatchObject({
			code: 'timeout',
			message: 'POST https://login.example.com: no answer within 20 ms',
		});
	});
});
