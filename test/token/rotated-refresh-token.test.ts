import {describe, expect} from 'vitest';
import type {AuthOptions} from '../../src/index.ts';
import {createFakeClient} from '../support/fake-token-endpoint.ts';
import {createClock, expired, gist, memoryDriver, outcomeOf, record, storeOf} from '../support/scenario.ts';
import {test} from '../support/test.ts';

const old = {access_token: 'old', refresh_token: 'first', ...expired};
const rotated = {refresh_token: 'second'};
const form = {headers: {'content-type': 'application/x-www-form-urlencoded'}};

/** Responses whose access token is not usable, although the server has rotated the refresh token. */
const answers: ReadonlyArray<readonly [title: string, answer: () => Response]> = [
	['no access token', () => Response.json(rotated)],
	['an empty access token', () => Response.json({...rotated, access_token: ''})],
	['an access token with a line break', () => Response.json({...rotated, access_token: 'a\r\nb'})],
	['an access token beyond ASCII', () => Response.json({...rotated, access_token: 'ä'})],
	['an access token that is no text', () => Response.json({...rotated, access_token: {value: 'a'}})],
	['a type that cannot be sent', () => Response.json({...rotated, access_token: 'a', token_type: 'mac'})],
	['a type that is no text', () => Response.json({...rotated, access_token: 'a', token_type: 1})],
	['a scope that is no text', () => Response.json({...rotated, access_token: 'a', scope: 42})],
	['an error beside it', () => Response.json({...rotated, access_token: 'a', error: 'whatever'})],
	['an error that may pass', () => Response.json({...rotated, error: 'temporarily_unavailable'})],
	['an error that is no text, and cannot become one', () => Response.json({...rotated, error: {toString: 1}})],
	['201 and no access token', () => Response.json(rotated, {status: 201})],
	['a form without an access token', () => new Response('refresh_token=second', form)],
];

describe('a refresh token that was rotated by an otherwise unusable answer', () => {
	test.for(answers)(
		'a refresh token that was rotated by an otherwise unusable answer is kept, and used for the next refresh: %s [F-119]',
		async ([, answer]) => {
			for (const store of [undefined, storeOf(memoryDriver())]) {
				const clock = createClock();
				const {auth, asked} = createFakeClient(count => (count === 0 ? answer() : undefined), {
					now: clock.now,
					...(store && {store}),
				});
				await auth.setToken(old);
				const events = record(auth);
				expect(await outcomeOf(auth.getToken())).toMatch(/^(?:OAuth|TokenResponse)Error$/);
				expect(await auth.peek()).toMatchObject({access_token: 'old'});
				clock.advance(1);
				expect(await auth.getToken()).toMatchObject({access_token: 'granted-1'});
				expect(asked.map(({refresh_token}) => refresh_token)).toEqual(['first', 'second']);
				expect(gist(events).map(event => event.split(' ')[0])).toEqual(['refresh-failed', 'token']);
			}
		},
	);

	test.for<[title: string, error: string, options?: Partial<AuthOptions>]>([
		['a code that the default knows', 'invalid_grant'],
		['endsSession', 'whatever', {endsSession: () => true}],
	])(
		'a refresh token that was rotated by an otherwise unusable answer is used at once if the answer says that the old one is dead: by %s',
		async ([, error, options]) => {
			const {auth, asked} = createFakeClient(
				count => (count === 0 ? Response.json({...rotated, error}) : undefined),
				options,
			);
			await auth.setToken(old);
			const events = record(auth);
			expect(await auth.getToken()).toMatchObject({access_token: 'granted-1'});
			expect(asked.map(({refresh_token}) => refresh_token)).toEqual(['first', 'second']);
			expect(gist(events)).toEqual(['token refresh']);
		},
	);

	test.for<[title: string, answer: () => Response]>([
		['a refusal', () => Response.json({...rotated, error: 'invalid_request'}, {status: 400})],
		['trouble of the server', () => Response.json(rotated, {status: 503})],
		['one with a line break', () => Response.json({refresh_token: 'a\r\nb'})],
		['one that is no text', () => Response.json({refresh_token: 5})],
		['an empty one', () => Response.json({refresh_token: ''})],
	])(
		'a refresh token that was rotated by an otherwise unusable answer is not taken from what is no rotation: %s',
		async ([, answer]) => {
			const clock = createClock();
			const {auth, asked} = createFakeClient(count => (count === 0 ? answer() : undefined), {now: clock.now});
			await auth.setToken(old);
			await outcomeOf(auth.getToken());
			clock.advance(1);
			await auth.getToken();
			expect(asked.map(({refresh_token}) => refresh_token)).toEqual(['first', 'first']);
		},
	);
});

/** All characters that an access token may contain: RFC 6749 appendix A.12, without the space. */
const visible = Array.from({length: 0x7e - 0x20}, (_, index) => String.fromCharCode(0x21 + index)).join('');

describe('a token answer as real servers give it', () => {
	test.for<[title: string, answer: () => Response, expected: object]>([
		['201', () => Response.json({access_token: 'a', token_type: 'Bearer'}, {status: 201}), {access_token: 'a'}],
		['206', () => Response.json({access_token: 'a'}, {status: 206}), {access_token: 'a'}],
		['no token_type', () => Response.json({access_token: 'a'}), {token_type: 'Bearer'}],
		['an empty token_type', () => Response.json({access_token: 'a', token_type: ''}), {token_type: 'Bearer'}],
		['a token_type of null', () => Response.json({access_token: 'a', token_type: null}), {token_type: 'Bearer'}],
		['a list of scopes', () => Response.json({access_token: 'a', scope: ['read', 'write']}), {scope: 'read write'}],
		['an empty error', () => Response.json({access_token: 'a', error: ''}), {access_token: 'a'}],
		['an error of null', () => Response.json({access_token: 'a', error: null}), {access_token: 'a'}],
		[
			'expires_at alone',
			() => Response.json({access_token: 'a', expires_at: 4_000_000_000}),
			{expires_at: 4_000_000_000},
		],
		[
			'both times',
			() => Response.json({access_token: 'a', expires_in: 60, expires_at: 4_000_000_000}),
			{expires_at: 1060},
		],
		['a token of Amazon', () => Response.json({access_token: 'Atza|Iw+/='}), {access_token: 'Atza|Iw+/='}],
		['a token of Salesforce', () => Response.json({access_token: '00D!AQ.x'}), {access_token: '00D!AQ.x'}],
		[
			'a token of Cloudflare',
			() => Response.json({access_token: 'user:grant:secret'}),
			{access_token: 'user:grant:secret'},
		],
		['every visible character', () => Response.json({access_token: visible}), {access_token: visible}],
		['a form', () => new Response('access_token=a&expires_in=60&scope=x+y', form), {expires_at: 1060, scope: 'x y'}],
	])('a token answer as real servers give it is taken by a session: %s', async ([, answer, expected]) => {
		for (const token of [undefined, old]) {
			const {auth} = createFakeClient(answer, {
				now: () => 1_000_000,
				grant: {grant_type: 'client_credentials', scope: null},
			});
			if (token) await auth.setToken(token);
			expect(await auth.refresh()).toMatchObject(expected);
		}
	});
});
