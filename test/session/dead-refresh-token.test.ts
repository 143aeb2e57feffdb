import {inspect} from 'node:util';
import {describe, expect} from 'vitest';
import {type AuthOptions, OAuthError, type SessionEndedError, TokenResponseError} from '../../src/index.ts';
import {createFakeClient, refusal} from '../support/fake-token-endpoint.ts';
import {createClock, createSharedRecord, expired, gist, outcomeOf, record, storeOf} from '../support/scenario.ts';
import {test} from '../support/test.ts';

const old = {access_token: 'old', refresh_token: 'dead', ...expired};
const service = {grant: {grant_type: 'client_credentials', scope: null}} as const;

/** The errors that the user's `endsSession` was given. */
const seen: unknown[] = [];
const endsSession =
	(isOver: boolean): NonNullable<AuthOptions['endsSession']> =>
	error => {
		seen.push(error);
		return isOver;
	};

/** How servers say that a refresh token is dead, with the options that the session needs to recognise it. */
const deaths: ReadonlyArray<readonly [title: string, answer: () => Response, options?: Partial<AuthOptions>]> = [
	...[
		'invalid_grant',
		'bad_refresh_token',
		'invalid_refresh_token',
		'expired_token',
		'interaction_required',
		'login_required',
		'consent_required',
	].flatMap(error =>
		[200, 400, 401, 403].map(status => [`${error} with ${status}`, () => refusal(error, status)] as const),
	),
	["Moov's 422", () => Response.json({refresh_token: 'is not valid'}, {status: 422})],
	['an empty 400', () => new Response(null, {status: 400}), {endsSession: endsSession(true)}],
	['a 400 of HTML', () => new Response('<p>', {status: 400}), {endsSession: endsSession(true)}],
	['a code of its own', () => refusal('token_gone'), {endsSession: endsSession(true)}],
	['invalid_request', () => refusal('invalid_request'), {endsSession: endsSession(true)}],
	['200 without a token', () => Response.json({ok: false}), {endsSession: endsSession(true)}],
];

describe('a refresh token that is dead by the words of its server', () => {
	test.for(deaths)(
		'a refresh token that is dead by the words of its server ends the session, once: %s',
		async ([, answer, options]) => {
			const {auth, asked} = createFakeClient(answer, options);
			await auth.setToken(old);
			const events = record(auth);
			const outcomes = await Promise.all(Array.from({length: 10}, () => outcomeOf(auth.getToken())));
			expect(new Set(outcomes)).toEqual(new Set(['SessionEndedError invalid_grant']));
			expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
			expect(gist(events)).toEqual(['session-ended invalid_grant']);
			expect(asked).toHaveLength(1);
			expect(await auth.peek()).toBeUndefined();
		},
	);

	test.for(deaths)(
		'a refresh token that is dead by the words of its server leads to another grant if the client has one: %s',
		async ([, answer, options]) => {
			const {auth, asked} = createFakeClient(count => (count === 0 ? answer() : undefined), {...options, ...service});
			await auth.setToken(old);
			const events = record(auth);
			expect(await auth.getToken()).toMatchObject({access_token: 'granted-1'});
			expect(asked.map(({grant_type}) => grant_type)).toEqual(['refresh_token', 'client_credentials']);
			expect(gist(events)).toEqual(['token grant']);
		},
	);

	test.for(deaths)(
		'a refresh token that is dead by the words of its server ends nothing if another holder has renewed it meanwhile: %s',
		async ([, answer, options]) => {
			const shared = createSharedRecord();
			const {auth, asked} = createFakeClient(
				count => {
					if (count > 0) return undefined;
					shared.write({
						...(shared.value as object),
						access_token: 'newer',
						refresh_token: 'alive',
						issued_at: 1,
						expires_at: 9e9,
					});
					return answer();
				},
				{...options, store: storeOf(shared.realm())},
			);
			await auth.setToken(old);
			const events = record(auth);
			expect(await auth.getToken()).toMatchObject({access_token: 'newer'});
			expect(asked).toHaveLength(1);
			expect(gist(events)).not.toContain('session-ended invalid_grant');
		},
	);

	test('a refresh token that is dead by the words of its server has the refusal as the cause of the error', async ({
		canaries,
	}) => {
		const {auth} = createFakeClient(() => refusal('bad_refresh_token', 200));
		await auth.setToken(old);
		const {cause} = (await canaries.rejection(auth.getToken())) as SessionEndedError;
		expect(cause).toBeInstanceOf(OAuthError);
		expect(cause).toMatchObject({error: 'bad_refresh_token', status: 200});
	});
});

describe('a refresh token that may be alive', () => {
	test.for<[title: string, answer: () => Response, options?: Partial<AuthOptions>]>([
		['an empty 400', () => new Response(null, {status: 400})],
		['invalid_request', () => refusal('invalid_request')],
		['invalid_token, which is no error of a refresh', () => refusal('invalid_token')],
		['a code in another case', () => refusal('INVALID_GRANT')],
		['a code within another', () => refusal('not_invalid_grant')],
		['a list of codes', () => Response.json({error: ['invalid_grant']}, {status: 400})],
		['invalid_grant with 503', () => refusal('invalid_grant', 503)],
		['invalid_grant with 429', () => refusal('invalid_grant', 429)],
		['a 422 about another field', () => Response.json({grant_type: 'is not valid'}, {status: 422})],
		['a code of its own, if endsSession says no', () => refusal('token_gone'), {endsSession: endsSession(false)}],
	])('a refresh token that may be alive is kept: %s', async ([, answer, options]) => {
		const {auth} = createFakeClient(answer, options);
		await auth.setToken(old);
		const events = record(auth);
		await outcomeOf(auth.getToken());
		expect(gist(events)).toEqual([expect.stringMatching('^refresh-failed')]);
		expect(await auth.peek()).toMatchObject({access_token: 'old'});
	});
});

describe('endsSession', () => {
	test.for<[title: string, answer: () => Response, type: typeof OAuthError | typeof TokenResponseError, facts: object]>(
		[
			['an OAuth error', () => refusal('x'), OAuthError, {error: 'x', status: 400}],
			['an error that the default knows', () => refusal('invalid_grant'), OAuthError, {error: 'invalid_grant'}],
			[
				'an empty 400',
				() => new Response(null, {status: 400}),
				TokenResponseError,
				{code: 'unexpected_status', status: 400},
			],
			['a 410', () => new Response('gone', {status: 410}), TokenResponseError, {status: 410}],
			['a 503', () => new Response(null, {status: 503}), TokenResponseError, {status: 503, retryable: true}],
			['an unusable 200', () => Response.json({}), TokenResponseError, {code: 'invalid_response', status: 200}],
		],
	)('endsSession sees every refusal: %s', async ([, answer, type, facts]) => {
		seen.length = 0;
		const {auth} = createFakeClient(answer, {endsSession: endsSession(false)});
		await auth.setToken(old);
		await outcomeOf(auth.getToken());
		expect(seen).toEqual([expect.objectContaining(facts)]);
		expect(seen[0]).toBeInstanceOf(type);
	});

	test('endsSession adds to the default: what it denies can still be dead', async () => {
		const {auth} = createFakeClient(() => refusal('invalid_grant'), {endsSession: endsSession(false)});
		await auth.setToken(old);
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError invalid_grant');
	});

	test.for([
		[true, 'SessionEndedError invalid_grant'],
		[false, 'OAuthError'],
	] as const)('endsSession may take its time, and is not taken for true by that: %s', async ([isOver, outcome]) => {
		const {auth} = createFakeClient(() => refusal('token_gone'), {endsSession: async () => isOver});
		await auth.setToken(old);
		expect(await outcomeOf(auth.getToken())).toBe(outcome);
	});

	test.for<[title: string, endsSession: NonNullable<AuthOptions['endsSession']>]>([
		[
			'throws',
			() => {
				throw new Error('mine');
			},
		],
		['rejects', async () => Promise.reject(new Error('mine'))],
		['hangs', async () => new Promise<never>(() => {})],
	])('endsSession leaves the decision to the default if it %s, and loses nothing', async ([, endsSession]) => {
		const answers = [{error: 'token_gone', refresh_token: 'rotated'}, {error: 'invalid_grant'}];
		const clock = createClock();
		const {auth, asked} = createFakeClient(count => Response.json(answers[count]), {
			endsSession,
			timeout: 1_000,
			now: clock.now,
		});
		await auth.setToken(old);
		const events = record(auth);
		expect(await outcomeOf(auth.getToken())).toBe('OAuthError');
		clock.advance(1);
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError invalid_grant');
		expect(asked.map(({refresh_token}) => refresh_token)).toEqual(['dead', 'rotated']);
		expect(gist(events)).toEqual(['refresh-failed oauth_error', 'session-ended invalid_grant']);
	});

	test('endsSession ends nothing that has no refresh token: a refused grant is an error', async () => {
		const {auth} = createFakeClient(() => refusal('invalid_grant'), {...service, endsSession: endsSession(true)});
		const events = record(auth);
		expect(await outcomeOf(auth.getToken())).toBe('OAuthError');
		expect(gist(events)).toEqual(['refresh-failed oauth_error']);
	});

	test('endsSession decides on the code that the server sent, even if a mask hides it from the caller [R93]', async () => {
		// The code has eight characters in common with the token.
		for (const [isKnown, outcome] of [
			[true, 'SessionEndedError invalid_grant'],
			[false, 'OAuthError'],
		] as const) {
			let given: unknown;
			const {auth} = createFakeClient(() => refusal('refresh_token_revoked'), {
				endsSession(error) {
					given = error;
					return isKnown && error.code === 'oauth_error' && error.error === 'refresh_token_revoked';
				},
			});
			await auth.setToken({...old, refresh_token: 'refresh_token_1'});
			expect(await outcomeOf(auth.getToken())).toBe(outcome);
			expect(given).toBeInstanceOf(OAuthError);
			expect(given).toMatchObject({code: 'oauth_error', retryable: false, status: 400});
			// The code that a mask would hide is there for the decision, and is not printed.
			expect([JSON.stringify(given), inspect(given)].join('\n')).not.toContain('refresh_token');
		}
	});

	test('endsSession shows no secret of the request, and none of the answer', async ({canaries}) => {
		canaries.plant('refresh-token-that-died');
		const {auth} = createFakeClient(
			() => Response.json({error: 'x', error_description: 'refresh-token-that-died'}, {status: 400}),
			{
				endsSession(error) {
					canaries.see(error);
					return true;
				},
			},
		);
		await auth.setToken({...old, refresh_token: 'refresh-token-that-died'});
		await canaries.rejection(auth.getToken());
	});
});

describe('the cool-down', () => {
	/** A client whose server rejects its secret. */
	const wrong = (options?: Partial<AuthOptions>): ReturnType<typeof createFakeClient> =>
		createFakeClient(() => refusal('invalid_client', 401), options);

	test.for<[title: string, options: Partial<AuthOptions>]>([
		['a refresh', {}],
		['a grant', service],
	])(
		'the cool-down makes one request of forty calls with a wrong secret, and tells of it once: %s',
		async ([, options]) => {
			const clock = createClock();
			const {auth, asked} = wrong({...options, now: clock.now});
			if (!options.grant) await auth.setToken(old);
			const events = record(auth);
			for (let call = 0; call < 40; call++) expect(await outcomeOf(auth.getToken())).toBe('OAuthError');
			expect(await outcomeOf(auth.refresh())).toBe('OAuthError');
			expect([asked.length, gist(events)]).toEqual([1, ['refresh-failed oauth_error']]);
			clock.advance(1);
			for (let call = 0; call < 40; call++) await outcomeOf(auth.getToken());
			expect([asked.length, gist(events)]).toEqual([2, ['refresh-failed oauth_error', 'refresh-failed oauth_error']]);
		},
	);

	test.for<[title: string, end: (auth: ReturnType<typeof wrong>['auth']) => Promise<void>]>([
		['a sign-in', auth => auth.setToken({...old, access_token: 'other', refresh_token: 'other'})],
		['a sign-in with the same refresh token', auth => auth.setToken(old)],
		['a token of the present login', auth => auth.setToken({access_token: 'slid', ...expired}, {renews: true})],
	])('the cool-down ends with %s', async ([, end]) => {
		const clock = createClock();
		const {auth, asked} = wrong({now: clock.now});
		await auth.setToken(old);
		await outcomeOf(auth.getToken());
		await end(auth);
		await outcomeOf(auth.getToken());
		expect(asked).toHaveLength(2);
		// The next cool-down begins with one second again.
		clock.advance(1);
		await outcomeOf(auth.getToken());
		expect(asked).toHaveLength(3);
	});

	test('the cool-down ends with a sign-out', async () => {
		const {auth, asked} = createFakeClient(
			count => (count === 0 ? refusal('invalid_client', 401) : undefined),
			service,
		);
		await outcomeOf(auth.getToken());
		await auth.signOut();
		expect(await auth.getToken()).toMatchObject({access_token: 'granted-1'});
		expect(asked).toHaveLength(2);
	});
});
