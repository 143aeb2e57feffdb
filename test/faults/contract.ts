// Rows about what the contract promises, and about Moov’s API, for which regrant was first written.
import {type AuthOptions, clientSecretBasic, clientSecretPost, endpoint} from 'regrant';
import * as v from 'valibot';
import {renewed, hops, posts, tally, unfollowed} from './call-cases.ts';
import {
	after,
	bearer,
	type Case,
	elsewhere,
	type Fault,
	fault,
	json,
	page,
	redirect,
	token,
	typed,
	uncounted,
} from './case.ts';
import {ended, forNow, instants, readings, refused, renewals} from './renewal-cases.ts';
import type {Staged} from './room.ts';
import {nameOfKind, type Settled} from './world.ts';
import {text, grant, network, unexpected, invalid, times} from './words.ts';

const pages = /^(?:Chromium|Firefox|WebKit|happy-dom)\b/;
const readItem = endpoint({method: 'get', path: 'items/{id}/end', params: v.object({id: v.string()})});
/** Returns the fields that an error names. */
const fieldsOf = (outcome: Settled): string => ('error' in outcome ? String(Object(outcome.error).fields) : 'none');

export const contractFaults: readonly Fault[] = [
	fault(
		'F-119',
		'a new refresh token with a useless access token',
		Object.entries({
			'no access token': token({access_token: undefined, refresh_token: '<refresh>'}),
			'a bad access token': token({access_token: 'a b', refresh_token: '<refresh>'}),
			'another token type': token({access_token: '<useless>', token_type: 'mac', refresh_token: '<refresh>'}),
			'a token type that is a number': token({access_token: '<useless>', token_type: 1, refresh_token: '<refresh>'}),
			'a bad scope': token({access_token: '<useless>', scope: [1], refresh_token: '<refresh>'}),
		}).map(([title, staged]): Case => ({
			title: `${title}: the refresh token is stored, then there is the error`,
			script: {token: [staged]},
			async act({signIn, auth, get, room, held, advance}) {
				await signIn();
				const outcome = await get(auth().refresh());
				const {access_token} = (await held()) as {readonly access_token: string}; // memoryStore holds a TokenSet
				advance(1);
				return [
					'error' in outcome && nameOfKind(outcome.error),
					access_token === room.access_token,
					await get(auth().fetch(`${room.api}me`)),
					await get(auth().refresh()),
				];
			},
			expected: {
				gets: ['TokenResponseError', true, 200, `the second token ${text}`],
				grants: 2,
				calls: ['first 200'],
				session: 'third',
				events: [
					`refresh-failed ${title === 'another token type' ? 'unsupported_token_type' : 'invalid_response'}`,
					'token refresh',
				],
			},
		})),
	),
	fault(
		'F-120',
		'an answer in a form',
		readings(
			text,
			Object.fromEntries(
				[
					'application/x-www-form-urlencoded',
					'application/x-www-form-urlencoded; charset=UTF-8',
					'Application/X-WWW-Form-URLEncoded',
				].map(type => [type, typed(type, 'access_token=<access>&token_type=bearer&expires_in=600&scope=a+b')]),
			),
		),
		renewals(refused(invalid), {
			'access_token twice': typed(
				'application/x-www-form-urlencoded',
				'access_token=<access>&access_token=<access>&token_type=bearer',
			),
			'token_type twice': typed(
				'application/x-www-form-urlencoded',
				'access_token=<access>&token_type=bearer&token_type=bearer',
			),
			nothing: typed('application/x-www-form-urlencoded', ''),
		}),
		renewals(refused('OAuthError invalid_scope'), {
			'an error': {
				...typed('application/x-www-form-urlencoded', 'error=invalid_scope&error_description=%3Csent%3E+<sent>'),
				status: 400,
			},
		}),
	),
	fault(
		'F-121',
		'a form that is not called one',
		renewals(forNow('TokenResponseError not_json'), {
			'called JSON': typed('application/json', 'access_token=<access>&token_type=bearer'),
			'called text': typed('text/plain', 'access_token=<access>&token_type=bearer'),
			'without a type': {body: 'access_token=<access>&token_type=bearer'},
		}),
	),
	fault(
		'F-122',
		'422 that names the refresh token',
		renewals(ended, {
			'it ends the session': json({refresh_token: 'is not known'}, {status: 422}),
			'with an echo': json({refresh_token: '<sent>'}, {status: 422}),
			'among others': json({grant_type: 'x', refresh_token: ['x'], foreign: 'x'}, {status: 422}),
		}),
		{
			title: 'where there is a grant: a token of that',
			script: {token: [json({refresh_token: 'is not known'}, {status: 422})]},
			async act({signIn, auth, get, room}) {
				await signIn('over');
				return [await get(auth({grant, encoding: 'json'}).fetch(`${room.api}me`))];
			},
			expected: {gets: [200], grants: 2, calls: ['second 200'], session: 'none', events: ['token grant']},
		},
		{
			title: 'on another request it is that request’s fault',
			script: {token: [json({refresh_token: 'is not known'}, {status: 422})]},
			async act({auth, get}) {
				const outcome = await get(auth({grant}).getToken());
				return [outcome, fieldsOf(outcome)];
			},
			expected: {
				gets: ['OAuthError invalid_request', ''],
				grants: 1,
				session: 'none',
				events: ['refresh-failed oauth_error'],
			},
		},
	),
	fault(
		'F-123',
		'422 with other fields',
		renewals(refused('OAuthError invalid_request'), {
			'the session stays': json({client_id: '<sent>'}, {status: 422}),
			'with names that the request has not': json({'<sent>': 1, __proto__: 1, toString: 1}, {status: 422}),
			'with nothing': json({}, {status: 422}),
		}),
		renewals(refused('OAuthError invalid_client'), {
			'with an error': json({error: 'invalid_client', refresh_token: 'x'}, {status: 422}),
		}),
		renewals(refused(unexpected), {'with a list': json(['refresh_token'], {status: 422})}),
		renewals(forNow(unexpected), {'with a page': page(422)}),
		{
			title: 'the error has the names that the request has, and no values',
			script: {token: [json({client_id: '<sent>', grant_type: ['x'], foreign: '<sent>', refresh: 1}, {status: 422})]},
			async act({signIn, auth, get}) {
				await signIn();
				const outcome = await get(auth({encoding: 'json'}).refresh());
				return [outcome, fieldsOf(outcome)];
			},
			expected: {
				gets: ['OAuthError invalid_request', 'client_id,grant_type'],
				grants: 1,
				events: ['refresh-failed oauth_error'],
			},
		},
	),
	fault(
		'F-124',
		'X-Retry-In in milliseconds',
		renewals(forNow(unexpected, 1500), {
			alone: after(429, ['x-retry-in', '1500']),
			'beside a Retry-After that cannot be': after(429, ['x-retry-in', '1500'], ['retry-after', 'soon']),
			'with 503': after(503, ['X-RETRY-IN', '1500']),
		}),
		renewals(forNow(unexpected, 2000), {
			'beside a Retry-After, which wins': after(429, ['x-retry-in', '1500'], ['retry-after', '2']),
		}),
		renewals(forNow(unexpected), {
			'one that cannot be': after(429, ['x-retry-in', '-1500']),
			'one with a unit': after(429, ['x-retry-in', '1500ms']),
		}),
		renewals(forNow(unexpected, 3_600_000), {'a huge one': after(429, ['x-retry-in', '99999999999'])}),
	),
	fault(
		'F-125',
		'expires_in as a timestamp',
		instants('auto', 1_736_966_581, 'an instant'),
		instants('auto', '1736966581', 'an instant'),
		instants('auto', 315_360_000, 'seconds'),
		instants('auto', 315_360_001, 'an instant'),
		instants('auto', 4_102_444_800, 'an instant'),
		instants('seconds', 1_736_966_581, 'seconds'),
		instants('timestamp', 1_736_966_581, 'an instant'),
		instants('timestamp', 4_102_444_800, 'an instant'),
		instants('timestamp', '4102444800', 'an instant'),
		instants('timestamp', 900, 'an instant'),
	),
	fault(
		'F-126',
		'token_type opaque',
		renewals(refused('TokenResponseError unsupported_token_type'), {'not listed': token({token_type: 'opaque'})}),
		readings(
			text,
			{'listed, it is sent as Bearer': token({token_type: 'opaque'}), 'in another case': token({token_type: 'OPAQUE'})},
			{options: {tokenTypes: ['Opaque']}},
		),
	),
	fault('F-127', 'client_credentials with a refresh token', {
		title: 'it is kept and used; when it dies there is one grant, the call is served, and there is no end',
		script: {
			token: [
				token({refresh_token: '<refresh>'}),
				token({refresh_token: '<refresh>'}),
				json({error: 'invalid_grant'}, {status: 400}),
				token({refresh_token: '<refresh>'}),
			],
		},
		async act({auth, get, room, advance}) {
			const calling = auth({grant});
			const statuses: Settled[] = [];
			for (let count = 0; count < 3; count++) {
				statuses.push(await get(calling.fetch(`${room.api}me`)));
				advance(601);
			}
			const kinds = (await room.log()).token.map(({body}) => new URLSearchParams(body).get('grant_type'));
			return [...statuses, kinds.join(' ')];
		},
		expected: {
			gets: [200, 200, 200, 'client_credentials refresh_token refresh_token client_credentials'],
			grants: 4,
			calls: ['second 200', 'third 200', 'fourth 200'],
			session: 'fourth',
			events: ['token grant', 'token refresh', 'token grant'],
		},
	}),
	fault('F-128', 'no session and no grant', {
		title: 'sent without a token, the 401 is the server’s, and nothing is granted',
		async act({auth, ky, get, room}) {
			return [
				await get(ky().get('me')),
				await get(auth().fetch(`${room.api}me`)),
				await get(auth().getToken()),
				await get(auth().refresh()),
			];
		},
		expected: {
			gets: [401, 401, 'SessionEndedError no_session', 'SessionEndedError no_session'],
			calls: ['none 401 ×2'],
			session: 'none',
		},
	}),
	fault(
		'F-129',
		'redirects of the API',
		[301, 302, 303, 307, 308].flatMap(status => [
			hops(`${status}, to B`, [redirect(status, '<elsewhere>b')], [{}], {
				gets: [200],
				calls: [`first ${status}`],
				foreign: ['none'],
			}),
			hops(`${status}, to B and back`, [redirect(status, '<elsewhere>b'), {}], [redirect(status, '<api>a')], {
				gets: [200],
				calls: [`first ${status}`, 'none 200'],
				foreign: ['none'],
			}),
			hops(`${status}, within A`, [redirect(status, '<api>a')], [], {
				gets: [200],
				calls: [`first ${status}`, 'first 200'],
			}),
			hops(`${status}, within A and then to B`, [redirect(status, '<api>a'), redirect(status, '<elsewhere>b')], [{}], {
				gets: [200],
				calls: [`first ${status} ×2`],
				foreign: ['none'],
			}),
			hops(`${status}, to B without a scheme`, [redirect(status, '<beside>b')], [{}], {
				gets: [200],
				calls: [`first ${status}`],
				foreign: ['none'],
			}),
		]),
		hops(
			'20 within A',
			times(20, () => redirect(302, '<api>a')),
			[],
			{
				gets: [200],
				calls: ['first 302 ×20', 'first 200'],
			},
		),
		hops(
			'21 within A are a network error',
			times(21, () => redirect(302, '<api>a')),
			[],
			{
				gets: ['TypeError'],
				calls: ['first 302 ×21'],
			},
			[
				[/^Bun/, 'it follows more of them'],
				[/^happy-dom/, 'its network errors have a class of their own'],
			],
		),
		[301, 302, 303, 307, 308].map(posts),
		{
			title: '307 with a stream is a network error',
			script: {api: [redirect(307, '<api>a')]},
			async act({signIn, auth, get, room}) {
				await signIn();
				const body = new Blob(['streamed']).stream();
				const init = {method: 'POST', body, duplex: 'half'} as RequestInit; // the DOM's types lack `duplex`
				return [await get(auth().fetch(`${room.api}me`, init))];
			},
			expected: {gets: ['TypeError'], calls: ['first 307']},
			except: [
				[pages, 'it sends no streams'],
				[/^Bun/, 'it keeps what it has sent of a stream, and sends it again'],
			],
		},
		['', 'http://', 'ftp://127.0.0.1/', 'javascript:1', 'data:,x'].map(location => unfollowed(location)),
	),
	fault(
		'F-130',
		'a client secret in a browser',
		{
			title: 'refused in a page, whichever way it is given',
			async act({auth, get, plant}) {
				const secret = plant('c4nary-secret-of-a-client');
				const ways: ReadonlyArray<Partial<AuthOptions>> = [
					{clientAuthentication: clientSecretBasic(secret)},
					{clientAuthentication: clientSecretPost(secret)},
					{grant: {...grant, client_secret: secret}},
				];
				return Promise.all(ways.map(async way => Object.keys(await get((async () => auth(way))()))[0]));
			},
			expected: ({traits}) => ({gets: times(3, () => (traits.isPage ? 'error' : 'value')), session: 'none'}),
		},
		{
			title: 'taken with allowSecretInBrowser',
			async act({auth, get, plant}) {
				const secret = plant('c4nary-secret-of-a-client');
				return [
					await get(
						auth({clientAuthentication: clientSecretPost(secret), grant, allowSecretInBrowser: true}).getToken(),
					),
				];
			},
			expected: {gets: [`the second token ${text}`], grants: 1, session: 'none', events: ['token grant']},
		},
	),
	fault(
		'F-131',
		'http beyond loopback',
		[
			'http://as.example/token',
			'http://localhost.evil.example/token',
			'http://127.0.0.1.evil.example/token',
			'http://0.0.0.0/token',
			'http://192.168.0.2/token',
			'http://[::]/token',
			'http://127.1.evil/token',
			'ftp://127.0.0.1/token',
			'//as.example/token',
			'/token',
			'',
		].map((url): Case => ({
			title: `${JSON.stringify(url)} is no endpoint and no origin`,
			async act({auth, get}) {
				return [
					await get((async () => auth({tokenEndpoint: url}))()),
					await get((async () => auth({revocationEndpoint: url}))()),
					await get((async () => auth({origins: [url]}))()),
				];
			},
			expected: {gets: times(3, () => 'ConfigError invalid_options'), session: 'none'},
		})),
		{
			title: 'a call there goes without a token, and as a base it is refused',
			async act({signIn, ky, get}) {
				await signIn();
				let has: boolean | undefined;
				const own: typeof fetch = async input => {
					has = (input as Request).headers.has('authorization'); // regrant passes a Request
					return new Response('ok');
				};
				const called = await get(ky({fetch: own}).get('http://api.example/me'));
				const base = {fetch: own, baseUrl: 'http://api.example/'};
				return [called, has, await get(ky(base, {origins: undefined}).get('me'))];
			},
			expected: {gets: [200, false, 'ConfigError invalid_options']},
		},
	),
	fault(
		'F-132',
		'an API that refuses every token',
		{
			title: 'a hundred calls are one grant and 101 hits',
			script: {api: {untilMended: bearer()}},
			async act(world) {
				await world.signIn();
				const api = world.ky();
				const statuses: Settled[] = [];
				for (let count = 0; count < 100; count++) statuses.push(await world.get(api.get('me')));
				return tally(statuses);
			},
			expected: {...renewed, gets: ['401 ×100'], calls: ['first 401', 'second 401 ×100']},
		},
		{
			title: 'after a minute there is a grant again',
			script: {api: {untilMended: bearer()}},
			async act({signIn, auth, room, get, advance}) {
				await signIn();
				const calling = auth();
				const statuses = [await get(calling.fetch(`${room.api}me`)), await get(calling.fetch(`${room.api}me`))];
				advance(61);
				return [...statuses, await get(calling.fetch(`${room.api}me`))];
			},
			expected: {
				gets: [401, 401, 401],
				grants: 2,
				calls: ['first 401', 'second 401 ×3', 'third 401'],
				session: 'third',
				events: ['token refresh ×2'],
			},
		},
		{
			title: 'once the token was accepted there is a grant again',
			script: {api: [bearer(), bearer(), bearer(), {}, bearer()]},
			async act({signIn, auth, room, get}) {
				await signIn();
				const calling = auth();
				const statuses: Settled[] = [];
				for (let count = 0; count < 4; count++) statuses.push(await get(calling.fetch(`${room.api}me`)));
				return statuses;
			},
			expected: {
				gets: [401, 401, 200, 200],
				grants: 2,
				calls: ['first 401', 'second 401 ×2', 'second 200', 'second 401', 'third 200'],
				session: 'third',
				events: ['token refresh ×2'],
			},
		},
	),
	fault(
		'F-133',
		'an error of ours inside ky’s fetch',
		Object.entries({
			[`${network}, retryable`]: {fault: 'reset'},
			[`${unexpected}, retryable`]: page(500),
			'OAuthError invalid_client': json({error: 'invalid_client'}, {status: 401}),
			'SessionEndedError invalid_grant': json({error: 'invalid_grant'}, {status: 400}),
		} satisfies Record<string, Staged>).map(([name, staged]): Case => ({
			title: `${name} reaches the caller as it is, and ky does not repeat the call`,
			script: {isDead: true, token: {untilMended: staged}},
			async act({signIn, ky, get}) {
				await signIn();
				return [await get(ky({retry: {limit: 2, delay: () => 1}, throwHttpErrors: true}).get('me'))];
			},
			expected: {
				gets: [name],
				grants: 1,
				calls: ['first 401'],
				session: name.startsWith('Session') ? 'none' : 'first',
				events: uncounted,
			},
		})),
	),
	fault(
		'F-134',
		'path parameters',
		Object.entries({
			'a/b': 'a%2Fb',
			'a?b': 'a%3Fb',
			'a#b': 'a%23b',
			'%2e%2e': '%252e%252e',
			'..a': '..a',
			'a b': 'a%20b',
			ü: '%C3%BC',
			'a\\b': 'a%5Cb',
			'a:b@c': null,
		}).map(([id, path]): Case => ({
			title: `${JSON.stringify(id)} stays one segment`,
			async act({signIn, ky, get, room}) {
				await signIn();
				const outcome = await get(readItem(ky(), {params: {id}}));
				const [seen] = (await room.log()).api;
				return ['value' in outcome, path === null || seen?.path === `/items/${path}/end`];
			},
			expected: {gets: [true, true], calls: ['first 200']},
		})),
		['.', '..', ''].map((id): Case => ({
			title: `${JSON.stringify(id)} is refused, and nothing is sent`,
			async act({signIn, ky, get}) {
				await signIn();
				return [await get(readItem(ky(), {params: {id}}))];
			},
			expected: {gets: ['RequestValidationError invalid_request']},
		})),
	),
	elsewhere(
		'F-135',
		'the holder of a lease is paused beyond it',
		'it takes several processes',
		{
			file: 'test/stores/redis.test.ts',
			title: 'a holder whose lease has run out while it waited for the answer overwrites nothing [F-135]',
		},
		{
			file: 'test/stores/protocol.test.ts',
			title:
				'a holder that is stopped for longer than its lock overwrites nothing, and sends nothing new (seed ${seed}) [F-135]',
		},
		{
			file: 'test/stores/deno-kv.test.ts',
			title: 'Deno processes lose the session only if one died between the rotation and its write [F-98, F-135]',
		},
	),
];
