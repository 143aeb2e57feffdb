import {describe, expect, vi} from 'vitest';
import {createAuth, createSession, type SessionOptions} from '../../src/index.ts';
import {apiOrigin, authorizations, createFakeApi, type FakeAnswer, type FakeApi} from '../support/fake-api.ts';
import {gist, outcomeOf, record} from '../support/scenario.ts';
import {test} from '../support/test.ts';

type Judge = SessionOptions['isUnauthorized'];

/** A session with the token `first`, which the API rejects. Its `renew` returns `second`, which the API accepts. */
async function session(
	isUnauthorized: Judge,
	answer: FakeAnswer,
): Promise<{
	readonly api: FakeApi;
	readonly auth: ReturnType<typeof createSession>;
	readonly renew: ReturnType<typeof vi.fn>;
}> {
	const renew = vi.fn<() => {access_token: string}>(() => ({access_token: 'second'}));
	const api = createFakeApi(answer);
	const auth = createSession({renew, origins: [apiOrigin], isUnauthorized});
	await auth.setToken({access_token: 'first'});
	return {api, auth, renew};
}

const isGraphqlError = async (response: Response): Promise<boolean> => {
	const {errors = []} = (await response.json()) as {errors?: Array<{extensions?: {code?: string}}>};
	return errors.some(({extensions}) => extensions?.code === 'UNAUTHENTICATED');
};

/** How some APIs reject a token without a 401, and the `isUnauthorized` with which a user recognises it. */
const apis: ReadonlyArray<readonly [title: string, refusal: () => Response, judge: Judge]> = [
	['419, as Laravel does', () => new Response('expired', {status: 419}), ({status}) => status === 419],
	['498, as Esri does', () => new Response('invalid', {status: 498}), ({status}) => status === 498],
	[
		'403 with a certain body',
		() => Response.json({detail: 'Token expired'}, {status: 403}),
		async response => response.status === 403 && /token/i.test(await response.text()),
	],
	[
		'400 with a header',
		() => new Response('no', {status: 400, headers: {'x-error': 'TokenExpired'}}),
		({headers}) => headers.get('x-error') === 'TokenExpired',
	],
	[
		"GraphQL's 200",
		() => Response.json({errors: [{extensions: {code: 'UNAUTHENTICATED'}}]}),
		async response => isGraphqlError(response),
	],
	[
		"Slack's 200",
		() => Response.json({ok: false, error: 'token_expired'}),
		async response => ((await response.json()) as {error?: string}).error === 'token_expired',
	],
];

describe('isUnauthorized', () => {
	test.for(apis)(
		'isUnauthorized renews once for an API that answers %s, and the call is sent again',
		async ([, refusal, judge]) => {
			const {api, auth, renew} = await session(judge, (_request, token) =>
				token === 'second' ? Response.json({data: 1}) : refusal(),
			);
			const client = api.client(auth);
			const answers = await Promise.all(Array.from({length: 40}, () => client.post('me', {json: {n: 1}}).json()));
			expect(answers).toEqual(Array.from({length: 40}, () => ({data: 1})));
			expect(renew).toHaveBeenCalledOnce();
		},
	);

	test.for(apis)('isUnauthorized leaves the last answer readable for the caller: %s', async ([, refusal, judge]) => {
		const {api, auth, renew} = await session(judge, refusal);
		const response = await api.client(auth).get('me');
		expect([response.status, await response.text()]).toEqual([refusal().status, await refusal().text()]);
		expect(authorizations(api)).toEqual(['Bearer first', 'Bearer second']);
		// The API rejects the renewed token as well. The next call must not renew it again.
		await api.client(auth).get('me');
		expect(renew).toHaveBeenCalledOnce();
	});

	test('isUnauthorized replaces the default: a 401 that it does not name is an answer like any other', async () => {
		const {api, auth, renew} = await session(
			({status}) => status === 419,
			() => new Response('no', {status: 401}),
		);
		const response = await api.client(auth).get('me');
		expect([response.status, await response.text()]).toEqual([401, 'no']);
		expect(renew).not.toHaveBeenCalled();
		expect(auth.status).toBe('signed-in');
	});

	test('isUnauthorized renews for a 401 whose challenge says that a new token cannot help, if it says so', async () => {
		const {api, auth, renew} = await session(
			({status}) => status === 401,
			(_request, token) =>
				token === 'second'
					? undefined
					: new Response(null, {status: 401, headers: {'www-authenticate': 'Bearer error="insufficient_scope"'}}),
		);
		expect((await api.client(auth).get('me')).status).toBe(200);
		expect(renew).toHaveBeenCalledOnce();
	});

	test('isUnauthorized lets the caller stream an answer that it has not read', async () => {
		const {api, auth} = await session(
			() => false,
			() => new Response(new Blob(['a', 'b', 'c']).stream()),
		);
		expect(await (await api.client(auth).get('me')).text()).toBe('abc');
	});

	test('isUnauthorized is not asked about a call without a token, nor about the answer of another origin', async ({
		serve,
	}) => {
		const asked = vi.fn<() => boolean>(() => true);
		const elsewhere = await serve(() => ({status: 419}));
		const home = await serve(() => ({status: 302, headers: [['location', elsewhere.origin]]}));
		const renew = vi.fn<() => null>(() => null);
		const auth = createSession({renew, origins: [home.origin], isUnauthorized: asked});
		await auth.setToken({access_token: 'first'});
		expect((await auth.fetch(home.origin)).status).toBe(419);
		await auth.signOut();
		await auth.fetch(home.origin);
		await auth.fetch(elsewhere.origin);
		expect([asked.mock.calls, renew.mock.calls]).toEqual([[], []]);
	});

	test.for(['/me', 'me', 'https://', 'mock:', apiOrigin.replace('https:', '')])(
		'isUnauthorized is not asked about an answer of a fetch that gives it the URL %j, and the caller gets that answer',
		async url => {
			const refusal = (): Response => Object.defineProperty(new Response('no', {status: 401}), 'url', {value: url});
			const asked = vi.fn<() => boolean>(() => true);
			for (const judge of [asked, undefined]) {
				const {api, auth, renew} = await session(judge, refusal);
				const response = await api.client(auth).get('me');
				expect([response.status, await response.text()]).toEqual([401, 'no']);
				expect([asked.mock.calls, renew.mock.calls]).toEqual([[], []]);
			}
		},
	);

	test('isUnauthorized is asked about an answer of a fetch that gives it a URL object', async () => {
		const url = new URL(`${apiOrigin}/me`);
		for (const judge of [({status}: Response) => status === 401, undefined]) {
			const {api, auth, renew} = await session(judge, (_request, token) =>
				token === 'first' ? Object.defineProperty(new Response('no', {status: 401}), 'url', {value: url}) : undefined,
			);
			expect((await api.client(auth).get('me')).status).toBe(200);
			expect(renew).toHaveBeenCalledTimes(1);
		}
	});

	test.for<[title: string, judge: () => boolean | Promise<boolean>]>([
		[
			'throws',
			() => {
				throw new TypeError('mine');
			},
		],
		['rejects', () => Promise.reject(new TypeError('mine'))],
	])('isUnauthorized fails the call with its own error if it %s, and the session stays', async ([, judge]) => {
		const cancelled = vi.fn<() => void>();
		const body = (): ReadableStream => new ReadableStream({cancel: cancelled});
		const {api, auth, renew} = await session(judge, () => new Response(body(), {status: 401}));
		await expect(api.client(auth).get('me')).rejects.toThrow('mine');
		await expect.poll(() => cancelled.mock.calls.length, {timeout: 20_000}).toBe(1);
		expect(renew).not.toHaveBeenCalled();
		expect(await auth.peek()).toMatchObject({access_token: 'first'});
	});

	test('isUnauthorized ends the session of a token that it refuses if nothing can renew it', async () => {
		const api = createFakeApi(() => new Response(null, {status: 419}));
		const options = {tokenEndpoint: 'https://as.example/token', clientId: 'app', origins: [apiOrigin]};
		const auth = createAuth({...options, isUnauthorized: ({status}) => status === 419});
		await auth.setToken({access_token: 'first'});
		const events = record(auth);
		expect((await api.client(auth).get('me')).status).toBe(419);
		expect(gist(events)).toEqual(['session-ended no_refresh_token']);
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
	});

	test('isUnauthorized sees what was redirected to within the origin, such as a login page', async ({serve}) => {
		const api = await serve(({headers}, {path}) => {
			if (path === '/login') return {body: 'Please log in'};
			const isGood = headers.get('authorization') === 'Bearer second';
			return isGood ? {body: 'data'} : {status: 302, headers: [['location', '/login']]};
		});
		const auth = createSession({
			renew: () => ({access_token: 'second'}),
			origins: [api.origin],
			isUnauthorized: ({url}) => new URL(url).pathname === '/login',
		});
		await auth.setToken({access_token: 'first'});
		expect(await (await auth.fetch(`${api.origin}/me`)).text()).toBe('data');
	});
});
