// Faults in what the token endpoint answers.
import {tally} from './call-cases.ts';
import {after, type Case, type Fault, fault, json, page, token, typed} from './case.ts';
import {ended, forNow, keepings, lives, readings, refused, renewals} from './renewal-cases.ts';
import type {Staged} from './room.ts';
import {keeping} from './store-cases.ts';
import {renewElsewhere, type Settled} from './world.ts';
import {text, grant, unexpected, invalid, times, all} from './words.ts';

export const contentFaults: readonly Fault[] = [
	fault(
		'F-17',
		'200 with a login page',
		renewals(forNow('TokenResponseError not_json'), {
			'text/html': page(200),
			'text/html without a charset': typed('text/html', '<sent>'),
			'HTML in capitals': typed('Text/HTML', '<sent>'),
			'application/xhtml+xml': typed('application/xhtml+xml', '<sent>'),
		}),
		renewals(forNow('TokenResponseError not_json'), {
			'without a type': {body: '<!doctype html><sent>'},
			'as text': typed('text/plain', '<sent>'),
			'called JSON': typed('application/json', '<html><sent>'),
		}),
	),
	fault(
		'F-18',
		'good JSON, wrong or no content type',
		readings(
			text,
			Object.fromEntries(
				[
					'text/plain',
					'text/html',
					'text/json',
					'application/octet-stream',
					'application/vnd.example+json',
					'Application/JSON; Charset=UTF-8',
					'application/json;charset=iso-8859-1',
					'nonsense',
					'',
				].map(type => [type || 'empty', {...token(), headers: [['content-type', type]]} satisfies Staged]),
			),
		),
		readings(text, {
			none: {...token(), headers: []},
			'with a byte order mark': {...token(), body: `\uFEFF${token().body}`},
			'with space around it': {...token(), body: `\r\n\t ${token().body} \n`},
		}),
	),
	fault(
		'F-19',
		'truncated JSON',
		renewals(forNow('TokenResponseError not_json'), {
			'in the middle of a token': typed('application/json', '{"token_type":"Bearer","access_token":"<access>'),
			'before the last brace': typed('application/json', '{"token_type":"Bearer","access_token":"<access>"'),
			'with a token for a word': typed('application/json', '<access>'),
			'two in a row': typed('application/json', '{"access_token":"<access>","token_type":"Bearer"}{}'),
			'with a comma too many': typed('application/json', '{"access_token":"<access>","token_type":"Bearer",}'),
			'in single quotes': typed('application/json', "{'access_token':'<access>','token_type':'Bearer'}"),
			'behind a guard against scripts': typed('application/json', ')]}\'\n{"access_token":"<access>"}'),
		}),
	),
	fault(
		'F-20',
		'JSON that is no object',
		renewals(refused(invalid), {
			'a list of one': typed('application/json', `[${token().body}]`),
			'an empty list': typed('application/json', '[]'),
			null: typed('application/json', 'null'),
			'a text': typed('application/json', '"<access>"'),
			'a number': typed('application/json', '42'),
			true: typed('application/json', 'true'),
			'an empty object': typed('application/json', '{}'),
			'the token deeper': typed('application/json', `{"data":${token().body}}`),
		}),
		renewals(forNow('TokenResponseError not_json'), {
			'nothing at all': typed('application/json', ''),
			'nothing but space': typed('application/json', ' \n'),
		}),
	),
	fault(
		'F-21',
		'duplicate keys',
		readings(text, {
			'the last one wins': typed(
				'application/json',
				'{"access_token":"not-this-one","access_token":"<access>","token_type":"mac","token_type":"Bearer","expires_in":600}',
			),
		}),
	),
	fault(
		'F-22',
		'200 with an error',
		renewals(ended, {
			invalid_grant: json({error: 'invalid_grant'}),
			'invalid_grant, and an echo': json({error: 'invalid_grant', error_description: 'not <sent>'}),
			'invalid_grant in a form': typed('application/x-www-form-urlencoded', 'error=invalid_grant'),
		}),
		renewals(refused('OAuthError invalid_client'), {invalid_client: json({error: 'invalid_client'})}),
		renewals(forNow('OAuthError server_error'), {server_error: json({error: 'server_error'})}),
	),
	fault(
		'F-23',
		'an error and a token',
		renewals(refused('OAuthError invalid_scope'), {'with 200': token({error: 'invalid_scope'})}),
		readings(text, {'an empty error is none': token({error: ''})}),
		renewals(ended, {'invalid_grant with 200': token({error: 'invalid_grant', refresh_token: '<sent>'})}),
	),
	fault(
		'F-24',
		'no usable access_token',
		renewals(
			refused(invalid),
			Object.fromEntries(
				[undefined, '', 42, 0, true, null, {}, {value: '<access>'}, [], ['<access>']].map(access_token => [
					access_token === undefined ? 'left out' : JSON.stringify(access_token),
					token({access_token}),
				]),
			),
		),
		renewals(refused(invalid), {'in another case': token({access_token: undefined, Access_Token: '<access>'})}),
	),
	fault('F-25', 'expires_in in digits', lives('for 3600 s', '3600', '0003600', 3600), lives('for 60 s', 60.0)),
	fault('F-26', 'expires_in below zero', lives('while it is accepted', -1, '-1', -0.5, -1e9)),
	fault('F-27', 'expires_in: 0', {
		title: 'each call is served and is one grant at most, and none is one for ever',
		script: {token: {untilMended: token({expires_in: 0})}},
		async act(world) {
			const {auth, signIn, room, get} = world;
			await signIn('due');
			const reading = auth();
			const waited = await all(world, [reading.refresh(), reading.getToken(), reading.fetch(`${room.api}me`)]);
			return [...waited, await get(reading.fetch(`${room.api}me`)), await get(reading.fetch(`${room.api}me`))];
		},
		expected: {
			gets: ['the second token for 0 s, scope a b', 'the second token for 0 s, scope a b', 200, 200, 200],
			grants: 3,
			calls: ['second 200', 'third 200', 'fourth 200'],
			events: ['token refresh ×3'],
		},
	}),
	fault('F-28', 'expires_in with a fraction', lives('for 1 s', 1.5), lives('for 599 s', 599.999)),
	fault('F-29', 'expires_in that is no number', lives('while it is accepted', 'abc', '', [], {}, [600], true)),
	fault('F-30', 'expires_in: null', lives('while it is accepted', null)),
	fault(
		'F-31',
		'expires_in beyond all time',
		lives('while it is accepted', 1e308, 253_402_300_800, '99999999999', '9999999999999999'),
		readings('while it is accepted, scope a b', {
			'1e999': typed('application/json', '{"access_token":"<access>","token_type":"Bearer","expires_in":1e999}'),
			'-1e999': typed('application/json', '{"access_token":"<access>","token_type":"Bearer","expires_in":-1e999}'),
		}),
	),
	fault('F-32', 'expires_in beyond the range of timers', lives('for 3000000 s', 3_000_000, '3000000'), {
		title: 'no timer storms: a second later there was one grant',
		script: {token: {untilMended: token({expires_in: 3_000_000})}},
		async act({auth, signIn, get, room}) {
			await signIn('due');
			const renewing = auth();
			const renewed = await get(renewing.refresh());
			await new Promise(resolve => setTimeout(resolve, 1000));
			return [renewed, await get(renewing.fetch(`${room.api}me`))];
		},
		expected: {
			gets: ['the second token for 3000000 s, scope a b', 200],
			grants: 1,
			calls: ['second 200'],
			events: ['token refresh'],
		},
	}),
	fault(
		'F-33',
		'expires_in that begins like a number',
		lives('while it is accepted', '12abc', '0x10', ' 60 ', '1e3', '60.5', '+60', '6_0', '٦٠', '60\n'),
	),
	fault('F-34', 'a lifetime below the leeway', {
		title: 'the leeway shrinks with it: one grant a lifetime',
		script: {token: {untilMended: token({expires_in: 5})}},
		async act({auth, signIn, get, advance, room}) {
			await signIn('due');
			const reading = auth({leeway: 60});
			const statuses: Settled[] = [];
			for (let count = 0; count < 12; count++) {
				statuses.push(await get(reading.fetch(`${room.api}me`)));
				advance(0.4);
			}
			return tally(statuses);
		},
		expected: {
			gets: ['200 ×12'],
			grants: 1,
			calls: ['second 200 ×12'],
			events: ['token refresh'],
		},
	}),
	fault(
		'F-35',
		'token_type missing',
		readings(text, {
			'left out, it is Bearer': token({token_type: undefined}),
			'null, it is Bearer': token({token_type: null}),
			'empty, it is Bearer': token({token_type: ''}),
			'under another name, it is Bearer': token({token_type: undefined, Token_Type: 'mac'}),
		}),
		renewals(refused(invalid), {'a number': token({token_type: 1})}),
	),
	fault(
		'F-36',
		'token_type in another case, sent as Bearer',
		readings(
			text,
			Object.fromEntries(['BEARER', 'bEaReR', 'bearer'].map(token_type => [token_type, token({token_type})])),
		),
	),
	fault(
		'F-37',
		'token_type that is not known',
		renewals(
			refused('TokenResponseError unsupported_token_type'),
			Object.fromEntries(
				[
					'mac',
					'N_A',
					'Bearer ',
					'Bearer,DPoP',
					'JWT',
					'urn:ietf:params:oauth:token-type:access_token',
					'be\u0430rer',
				].map(token_type => [JSON.stringify(token_type), token({token_type})]),
			),
		),
	),
	fault(
		'F-38',
		'token_type DPoP',
		renewals(refused('TokenResponseError unsupported_token_type'), {
			DPoP: token({token_type: 'DPoP'}),
			dpop: token({token_type: 'dpop'}),
		}),
		{
			title: 'may not be listed',
			act: async ({get, auth}) => [await get((async () => auth({tokenTypes: ['DPoP']}))())],
			expected: {gets: ['ConfigError invalid_options'], session: 'none'},
		},
	),
	fault(
		'F-39',
		'an access token unfit for a header',
		renewals(
			refused(invalid),
			Object.fromEntries(
				['\r\nx-evil: 1', '\n', '\r', '\0', '€', '\u0100', 'é', ' ', '\t', '\u007f', '\u2028', '😀'].map(tail => [
					encodeURIComponent(tail),
					token({access_token: `<access>${tail}`}),
				]),
			),
		),
		renewals(refused(invalid), {'a space before it': token({access_token: ' <access>'})}),
		['"', ',', ';', '=x', '|', '!', "'", '\\', '{}', '=='].map((tail): Case => ({
			title: `${JSON.stringify(tail)} at its end is fit for one`,
			script: {token: [token({access_token: `<access>${tail}`})], api: [{status: 200}]},
			async act({auth, signIn, get, room}) {
				await signIn('due');
				const {access_token} = await auth().refresh();
				const answer = await get(auth().fetch(`${room.api}me`));
				const [call] = (await room.log()).api;
				return [answer, access_token.endsWith(tail), call?.headers['authorization'] === `Bearer ${access_token}`];
			},
			expected: {gets: [200, true, true], grants: 1, calls: ['own 200'], events: ['token refresh']},
		})),
		readings(text, {'padding at its end is fit': token({access_token: '<access>'})}),
	),
	fault('F-40', 'refresh_token left out', keepings({'left out': token()})),
	fault('F-41', 'refresh_token rotated', {
		title: 'replaced, stored, and the next one to be sent',
		async act(world) {
			const {auth, signIn, get, room} = world;
			await signIn();
			const first = await get(auth().refresh());
			const second = await get(auth().refresh());
			const sent = (await room.log()).token.map(({body}) => new URLSearchParams(body).get('refresh_token'));
			const {refreshTokens} = await room.log();
			return [first, second, sent.map(token => refreshTokens.indexOf(token ?? '')).join(' ')];
		},
		expected: {
			gets: [`the second token ${text}`, `the third token ${text}`, '0 1'],
			grants: 2,
			session: 'third',
			events: ['token refresh ×2'],
		},
	}),
	fault(
		'F-42',
		'refresh_token that is none',
		keepings({null: token({refresh_token: null}), 'an empty one': token({refresh_token: ''})}),
	),
	fault(
		'F-43',
		'scope in the answer',
		readings('for 600 s, scope unknown', {'an empty one is none': token({scope: ''})}),
		readings(text, {'left out, it is the one before': token(), 'null, it is the one before': token({scope: null})}),
		readings('for 600 s, scope a', {'a narrower one counts': token({scope: 'a'})}),
		readings(text, {'a list is joined': token({scope: ['a', 'b']})}),
		renewals(refused(invalid), {
			'a number': token({scope: 1}),
			'a list with a number in it': token({scope: ['a', 1]}),
		}),
	),
	fault(
		'F-44',
		'the server refuses',
		renewals(ended, {
			'invalid_grant ends the session': json({error: 'invalid_grant'}, {status: 400}),
			'invalid_grant with 401': json({error: 'invalid_grant'}, {status: 401}),
			'invalid_grant with 403': json({error: 'invalid_grant'}, {status: 403}),
			'invalid_grant without a type': {status: 400, body: '{"error":"invalid_grant"}'},
			'invalid_grant in a form': {
				...typed('application/x-www-form-urlencoded;charset=UTF-8', 'error=invalid_grant'),
				status: 400,
			},
			'invalid_grant with a DPoP-Nonce': json({error: 'invalid_grant'}, {status: 400, headers: [['dpop-nonce', 'n']]}),
		}),
		[
			'bad_refresh_token',
			'invalid_refresh_token',
			'expired_token',
			'interaction_required',
			'login_required',
			'consent_required',
		].flatMap(error => renewals(ended, {[`${error} ends the session, too`]: json({error}, {status: 400})})),
		[
			'invalid_request',
			'invalid_client',
			'unauthorized_client',
			'unsupported_grant_type',
			'invalid_scope',
			'INVALID_GRANT',
			'invalid_grant ',
			'of_our_own',
			'use_dpop_nonce',
		].flatMap(error =>
			renewals(refused(`OAuthError ${error}`), {
				[`${JSON.stringify(error)} is a fault of the client’s`]: json({error}, {status: 400}),
			}),
		),
		renewals(refused('OAuthError invalid_client'), {
			'401 with a Basic challenge is the client’s, too, whatever its body': json(
				{error: 'invalid_grant'},
				{status: 401, headers: [['www-authenticate', 'Basic realm="as"']]},
			),
			'401 with invalid_client': json({error: 'invalid_client'}, {status: 401}),
		}),
		['server_error', 'temporarily_unavailable', 'slow_down'].flatMap(error =>
			renewals(forNow(`OAuthError ${error}`), {
				[`${error} is for now`]: json({error}, {status: 400}),
				[`${error} with 503 is for now`]: json({error}, {status: 503}),
			}),
		),
		['invalid_grant', 'invalid_request'].flatMap(error =>
			renewals(forNow(`OAuthError ${error}`), {[`${error} with 500 is for now`]: json({error}, {status: 500})}),
		),
		{
			title: 'invalid_grant, and the store has another token by now: that one is adopted',
			script: {
				token: [token({refresh_token: '<refresh>'}), json({error: 'invalid_grant'}, {status: 400, fault: 'held'})],
			},
			store: () => keeping(),
			async act(world) {
				const {auth, signIn, get, room, driver} = world;
				await signIn();
				const renewed = await renewElsewhere(world);
				const renewing = get(auth().refresh());
				await room.arrivals('token', 2);
				await driver().set(renewed); // the other holder has stored a token
				await room.release();
				return [await renewing, await get(auth().fetch(`${room.api}me`))];
			},
			expected: {
				gets: ['the second token for 600 s, scope unknown', 200],
				grants: 2,
				calls: ['second 200'],
				session: 'second',
				events: ['token store'],
			},
		},
		{
			title: 'invalid_grant where there is a grant: a token of that',
			script: {token: [json({error: 'invalid_grant'}, {status: 400})]},
			async act({auth, signIn, get, room}) {
				await signIn('over');
				const renewing = auth({grant});
				return [await get(renewing.fetch(`${room.api}me`)), await get(renewing.getToken())];
			},
			expected: {
				gets: [200, `the second token ${text}`],
				grants: 2,
				calls: ['second 200'],
				session: 'none',
				events: ['token grant'],
			},
		},
		{
			title: 'invalid_grant, and then a grant that fails for now: the dead token is not sent again',
			script: {token: [json({error: 'invalid_grant'}, {status: 400}), after(503)]},
			async act({auth, signIn, get, advance}) {
				await signIn('over');
				const renewing = auth({grant});
				const failure = await get(renewing.getToken());
				advance(2);
				return [failure, await get(renewing.getToken())];
			},
			expected: {
				gets: [`${unexpected}, retryable`, `the second token ${text}`],
				grants: 3,
				session: 'none',
				events: ['refresh-failed unexpected_status', 'token grant'],
			},
		},
		{
			title: 'invalid_grant to a crowd: it is sent once, and told once',
			script: {token: {untilMended: json({error: 'invalid_grant'}, {status: 400})}},
			async act(world) {
				const {auth, signIn, room} = world;
				await signIn('over');
				const [first, second] = [auth(), auth()];
				const outcomes = await all(world, [...times(20, () => first.getToken()), ...times(20, () => second.refresh())]);
				const later = await all(
					world,
					times(20, () => first.fetch(`${room.api}me`)),
				);
				return [...tally(outcomes), ...tally(later)];
			},
			expected: {
				gets: ['session_ended ×40', '401 ×20'],
				grants: 1,
				calls: ['none 401 ×20'],
				session: 'none',
				events: ['session-ended invalid_grant'],
			},
		},
	),
];
