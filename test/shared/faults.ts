// The faults that servers, networks, clocks, stores and callers have, one row each, and what regrant does about them: the same on
// every runtime. The words of the results are those of fault-world.ts: `first` is always what the login gave, and what a row does not
// mention did not happen. Where a runtime cannot have a case, the case says so (`except`); what takes several tabs, processes or
// isolates says who holds it.
import bareKy from 'ky';
import {
	type AuthOptions,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	endpoint,
	memoryStore,
	type StoreDriver,
	type TokenSet,
	type TokenStore,
} from 'regrant';
import {webStorage} from 'regrant/web';
import * as v from 'valibot';
import {
	asBare,
	calls,
	challenges,
	fakeApi,
	hops,
	impatience,
	kindOf,
	posts,
	renewed,
	retries,
	tally,
	unfollowed,
	untouched,
	ways,
} from './fault-calls.ts';
import {
	after,
	bearer,
	type Case,
	type Fault,
	type Holder,
	json,
	page,
	redirect,
	token,
	typed,
	uncounted,
} from './fault-case.ts';
import {polluted, pollution} from './fault-pollution.ts';
import {
	detours,
	ended,
	forNow,
	instants,
	keepings,
	lives,
	readings,
	redirects,
	refused,
	renewals,
	sentTo,
	unreached,
} from './fault-renewals.ts';
import type {Staged} from './fault-room.ts';
import {createLateStore, failingOnce, hang, keeping, type LateStore, records, refuse, reject} from './fault-stores.ts';
import {loginOf, nameOfKind, type Settled, type World} from './fault-world.ts';

const fault = (id: string, what: string, ...cases: ReadonlyArray<Case | readonly Case[]>): Fault => ({
	id,
	what,
	cases: cases.flat(),
});

const elsewhere = (id: string, what: string, because: string, ...heldBy: readonly Holder[]): Fault => ({
	id,
	what,
	because,
	heldBy,
});

const pages = /^(?:Chromium|Firefox|WebKit|happy-dom)\b/;

const text = 'for 600 s, scope a b';
const grant = {grant_type: 'client_credentials', scope: 'a b'} as const;
const hidden = ['access-control-expose-headers', ''] as const;

const network = 'TokenNetworkError network';
const timeout = 'TokenNetworkError timeout';
const unexpected = 'TokenResponseError unexpected_status';
const invalid = 'TokenResponseError invalid_response';

const times = <T>(count: number, make: () => T): T[] => Array.from({length: count}, make);
const all = async (world: World, promises: ReadonlyArray<Promise<unknown>>): Promise<Settled[]> =>
	Promise.all(promises.map(promise => world.get(promise)));

/** All bytes that there are. */
const allBytes = (): Uint8Array<ArrayBuffer> => Uint8Array.from({length: 100_000}, (_, index) => index % 256);

const readItem = endpoint({method: 'get', path: 'items/{id}/end', params: v.object({id: v.string()})});

/** The fields that an error names. */
const fieldsOf = (outcome: Settled): string => ('error' in outcome ? String(Object(outcome.error).fields) : 'none');

/** A date as RFC 850 wrote it, and as `asctime` of C does. */
const dateOf850 = (time: number): string => {
	const [day = '', date, month, year = '', clock] = new Date(time).toUTCString().split(/,? /);
	const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
	return `${days.find(name => name.startsWith(day))}, ${date}-${month}-${year.slice(2)} ${clock} GMT`;
};
const dateOfC = (time: number): string => {
	const [day, date = '', month, year, clock] = new Date(time).toUTCString().split(/,? /);
	return `${day} ${month} ${date.replace(/^0/, ' ')} ${clock} ${year}`;
};

export const faults: readonly Fault[] = [
	// The token endpoint: transport.
	fault(
		'F-01',
		'the token endpoint is not reached',
		detours(unreached(network), {
			'the connection is refused': ({nowhere}) => sentTo(nowhere),
			'the name is not known': () => sentTo('https://regrant.invalid/token'),
			'the fetch of the client fails, and tells what it was given': ({refresh_token}) => ({
				fetch: () => Promise.reject(new TypeError(`fetch failed: ${refresh_token}`)),
			}),
			'the fetch of the client throws at once': ({refresh_token}) => ({
				fetch: () => {
					throw new Error(`Not today: ${refresh_token}`);
				},
			}),
		}),
		renewals(forNow(network), {
			'the connection is reset before any byte': {fault: 'reset'},
			'what comes is not HTTP': {fault: 'garbage'},
		}),
	),
	fault(
		'F-02',
		'the token endpoint does not answer',
		renewals(forNow(timeout), {'nothing comes': {fault: 'hang'}}, {broken: () => ({timeout: 1000})}),
	),
	fault(
		'F-03',
		'the body does not come to its end',
		renewals(
			forNow(timeout),
			{
				'it stalls': token({}, {fault: 'stall'}),
				'it stalls in a refusal': json({error: 'invalid_grant'}, {status: 400, fault: 'stall'}),
				'it drips': token({}, {fault: 'drip'}),
			},
			{broken: () => ({timeout: 1000})},
		),
		renewals(forNow(network), {'it is cut': token({}, {fault: 'cut'})}),
		renewals(
			forNow(network),
			{
				'less comes than was announced': token({}, {fault: 'overstated'}),
				'what is called gzip is none': token({}, {fault: 'no-gzip'}),
			},
			{except: [[/^WebKit/, 'it takes what has come for the whole, as it is']]},
		),
		renewals(forNow('TokenResponseError not_json'), {
			'more comes than was announced': token({}, {fault: 'understated'}),
		}),
	),
	fault(
		'F-04',
		'5xx',
		renewals(forNow(unexpected), {
			'500 with a page': page(500),
			'502 with a page': page(502),
			'500 with JSON that says nothing': json({message: '<sent>'}, {status: 500}),
			'500 that has a token in it': token({}, {status: 500}),
			'500 with nothing': {status: 500},
			'504': {status: 504},
			'520, which no registry knows': {status: 520},
			'599': {status: 599},
			'408': {status: 408},
			'425': {status: 425},
			'a page with 403': page(403),
			'a page with 404': page(404),
			'a page in capitals': {...typed('TEXT/HTML', '<sent>'), status: 400},
			'a page in XHTML': {...typed('application/xhtml+xml', '<sent>'), status: 451},
		}),
	),
	fault('F-05', 'the answer to a rotation is lost', {
		title: '502 after the rotation is for now, and the next refresh ends the session',
		script: {token: [{status: 502, rotates: true}]},
		async act({auth, signIn, get, advance, room}) {
			await signIn();
			const lost = await get(auth().refresh());
			const meanwhile = await get(auth().fetch(`${room.api}me`));
			advance(1.5);
			const next = await get(auth().refresh());
			return [lost, meanwhile, next, await get(auth().refresh())];
		},
		expected: {
			gets: [`${unexpected}, retryable`, 200, 'SessionEndedError invalid_grant', 'SessionEndedError no_session'],
			grants: 2,
			calls: ['first 200'],
			session: 'none',
			events: ['refresh-failed unexpected_status', 'session-ended invalid_grant'],
		},
		isReuseDue: true,
	}),
	fault(
		'F-06',
		'503 with Retry-After: 1',
		renewals(forNow(unexpected, 1000), {
			'in its plain form': after(503, ['retry-after', '1']),
			'with its name in capitals': after(503, ['RETRY-AFTER', '1']),
			'with spaces around it': after(503, ['retry-after', '  1  ']),
			'with zeros before it': after(503, ['retry-after', '0001']),
			'on a 500': after(500, ['retry-after', '1']),
			'on a page': {...page(503), headers: [...(page(503).headers ?? []), ['retry-after', '1']]},
		}),
		renewals(forNow('OAuthError temporarily_unavailable', 1000), {
			'on an error of OAuth': json({error: 'temporarily_unavailable'}, {status: 503, headers: [['retry-after', '1']]}),
		}),
		{
			title: 'the cool-down is shared by all who wait, by all who come, and by all with the same store',
			script: {token: [after(503, ['retry-after', '1'])]},
			async act(world) {
				const {auth, signIn, advance, get} = world;
				await signIn('over');
				const [first, second] = [auth(), auth()];
				const waiting = await all(world, [first.refresh(), first.getToken(), second.refresh()]);
				advance(0.999);
				const early = await all(world, [first.getToken(), second.refresh()]);
				advance(0.001);
				return [...waiting, ...early, await get(second.getToken())];
			},
			expected: {
				gets: [...times(5, () => `${unexpected}, retryable, after 1000`), `the second token ${text}`],
				grants: 2,
				session: 'second',
				events: ['refresh-failed unexpected_status', 'token refresh'],
			},
		},
	),
	fault(
		'F-07',
		'429',
		renewals(forNow(unexpected, 120_000), {
			'with Retry-After: 120': after(429, ['retry-after', '120']),
			'with a date': now => after(429, ['retry-after', new Date(now + 120_000).toUTCString()]),
			'with a date as RFC 850 writes it': now => after(429, ['retry-after', dateOf850(now + 120_000)]),
			'with a date as C writes it': now => after(429, ['retry-after', dateOfC(now + 120_000)]),
		}),
		renewals(({traits}) => forNow(unexpected, traits.hidesHeaders ? undefined : 120_000), {
			'with a header that CORS hides': after(429, ['retry-after', '120'], hidden),
		}),
		renewals(forNow(unexpected), {'without a header': after(429)}),
		{
			title: 'the back-off of our own doubles from a second to thirty, and a success resets it',
			script: {token: [...times(7, () => after(429)), token(), after(429)]},
			async act({auth, signIn, advance, get, room}) {
				await signIn();
				const reading = auth();
				const waits: number[] = [];
				for (let count = 0; count < 9; count++) {
					const before = (await room.log()).token.length;
					let wait = 0;
					for (; (await room.log()).token.length === before; wait++) {
						if (wait > 0) advance(1);
						await get(reading.refresh());
					}
					waits.push(wait - 1);
				}
				return [waits.join(' ')];
			},
			expected: {
				gets: ['0 1 2 4 8 16 30 30 0'],
				grants: 9,
				events: ['refresh-failed unexpected_status ×7', 'token refresh', 'refresh-failed unexpected_status'],
			},
		},
	),
	fault(
		'F-08',
		'Retry-After that cannot be',
		renewals(
			forNow(unexpected),
			Object.fromEntries(
				['-5', '0x10', '1.5', '+5', '1e3', 'soon', '12abc', '1, 2', 'Infinity', 'NaN', 'é'].map(value => [
					value,
					after(503, ['retry-after', value]),
				]),
			),
		),
		renewals(forNow(unexpected), {
			'a date in the past': after(503, ['retry-after', 'Sun, 06 Nov 1994 08:49:37 GMT']),
			'a date that is none': after(503, ['retry-after', 'Sun, 99 Nov 2094 99:49:37 GMT']),
		}),
		renewals(forNow(unexpected, 3_600_000), {
			'1e9 seconds in digits': after(503, ['retry-after', '1000000000']),
			'a number beyond all numbers': after(503, ['retry-after', '9'.repeat(400)]),
			'a date in a hundred years': after(503, ['retry-after', 'Sat, 06 Nov 2094 08:49:37 GMT']),
		}),
		renewals(forNow(unexpected, 0), {
			'0, which asks for nothing': after(503, ['retry-after', '0']),
		}),
	),
	fault('F-09', 'the token endpoint redirects to B', redirects([300, 301, 302, 303, 304, 305], '<elsewhere>token')),
	fault('F-10', 'the token endpoint redirects to B, body included', redirects([307, 308], '<elsewhere>token')),
	fault(
		'F-11',
		'the token endpoint redirects to itself',
		redirects([307, 302], '<token>?again'),
		redirects([308], '/relative'),
		redirects([302], ''),
	),
	fault(
		'F-12',
		'a status other than 200',
		readings(text, {
			'201 with a token is success': token({}, {status: 201}),
			'203 with a token is success': token({}, {status: 203}),
			'206 with a token is success': token({}, {status: 206}),
		}),
		renewals(forNow('TokenResponseError not_json'), {
			'202': {status: 202},
			'204': {status: 204},
			'205': {status: 205},
			'226': {status: 226},
		}),
		renewals(refused(unexpected), {
			'404 without an error of OAuth': json({message: '<sent>'}, {status: 404}),
			'400 with nothing': {status: 400},
			'400 with a number for an error': json({error: 400}, {status: 400}),
			'405 with text': {...typed('text/plain', '<sent>'), status: 405},
			'418': {status: 418},
		}),
	),
	fault(
		'F-13',
		'offline, then online',
		detours(unreached(network), {
			'the platform is offline': () => ({fetch: () => Promise.reject(new TypeError('Failed to fetch'))}),
		}),
		{
			title: 'sleep in the middle of a grant, whose connection is dead on waking',
			script: {token: [{fault: 'hang'}]},
			async act({auth, signIn, advance, get, room}) {
				await signIn();
				const sleeping = get(auth({timeout: 1000}).refresh());
				await room.arrivals('token', 1);
				advance(8 * 3600);
				const slept = await sleeping;
				advance(1);
				return [slept, await get(auth().fetch(`${room.api}me`))];
			},
			expected: {
				gets: [`${timeout}, retryable`, 200],
				grants: 2,
				calls: ['second 200'],
				session: 'second',
				events: ['refresh-failed timeout', 'token refresh'],
			},
		},
	),
	fault(
		'F-14',
		'a body without end',
		renewals(refused('TokenResponseError body_too_large'), {
			'20 MB before a good token': token({}, {padding: 20_000_000}),
			'a little more than 1 MiB': token({}, {padding: 2 ** 20}),
			'without end': token({}, {fault: 'flood'}),
		}),
		renewals(forNow(unexpected), {'without end, in a failure': {status: 503, fault: 'flood'}}),
		readings(text, {'a little less than 1 MiB is read': token({}, {padding: 2 ** 20 - 500})}),
		{
			title: 'the rest of it is not fetched',
			script: {token: [{fault: 'flood'}]},
			async act({auth, signIn, get, room}) {
				await signIn();
				const failure = await get(auth().refresh());
				while ((await room.log()).abandoned === 0) await new Promise(resolve => setTimeout(resolve, 10));
				return [failure];
			},
			expected: {
				gets: ['TokenResponseError body_too_large'],
				grants: 1,
				events: ['refresh-failed body_too_large'],
			},
		},
	),
	fault(
		'F-15',
		'a body that is compressed',
		renewals(
			refused('TokenResponseError body_too_large'),
			{'32 MiB in 32 kB': {fault: 'bomb'}},
			{except: [[/^happy-dom/, 'it goes on to decompress what was cancelled, and its process ends of that']]},
		),
		readings(text, {
			'gzip is read': token({}, {encoding: 'gzip'}),
		}),
		readings(
			text,
			{'deflate is read': token({}, {encoding: 'deflate'})},
			{except: [[/^(?:workerd|Deno)/, 'it does not tell servers that it could read deflate']]},
		),
		readings(
			text,
			{'br is read': token({}, {encoding: 'br'})},
			{except: [[/^workerd 2024/, 'it does not tell servers that it could read br']]},
		),
	),
	fault(
		'F-16',
		'something else is in the way',
		detours(unreached(network), {
			'a server without TLS': ({tokenEndpoint}) => sentTo(tokenEndpoint.replace('http:', 'https:')),
		}),
		renewals(forNow('TokenResponseError not_json'), {'a captive portal': page(200)}),
	),

	// The token endpoint: content.
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
				const {auth, signIn, get, room, driver, options} = world;
				await signIn();
				const place = memoryStore();
				const other = createAuth(options({store: place}));
				await other.setToken({...loginOf(world), expires_in: 600});
				await other.refresh();
				const renewing = get(auth().refresh());
				await room.arrivals('token', 2);
				await driver().set(place.peek() as TokenSet); // what the other one stored
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

	// The resource server.
	fault(
		'F-45',
		'401 with invalid_token',
		calls(renewed, {
			'as it should be': bearer(),
			'in capitals': bearer('BEARER ERROR="invalid_token"'),
			'without quotes': bearer('Bearer error=invalid_token'),
			'with space around the sign': bearer('Bearer error = "invalid_token"'),
			escaped: bearer('Bearer error="invalid\\_token"'),
			'behind others': bearer('Bearer realm="a, b=\\"c\\"", scope="a b", error="invalid_token"'),
			'twice, the last one counts': bearer('Bearer error="insufficient_scope", error="invalid_token"'),
		}),
	),
	fault(
		'F-46',
		'401 with Bearer and no error code',
		calls(renewed, {
			'with a realm': bearer('Bearer realm="api"'),
			alone: bearer('Bearer'),
			'with a comma': bearer('Bearer,'),
			'with a description alone': bearer('Bearer error_description="The token error=insufficient_scope"'),
		}),
	),
	fault(
		'F-47',
		'401 with no challenge',
		calls(renewed, {
			'no header': after(401),
			'an empty header': bearer(''),
			'hidden by CORS': {...bearer(), headers: [...(bearer().headers ?? []), hidden]},
		}),
	),
	fault(
		'F-48',
		'401 of another scheme',
		calls(renewed, {
			'one that begins like Bearer': bearer('BearerX error="invalid_token"'),
			Token: bearer('Token realm="api"'),
			JWT: bearer('JWT'),
			OAuth: bearer('OAuth realm="api", error="expired_token"'),
		}),
		calls(untouched(401), {
			Basic: bearer('Basic realm="x"'),
			Negotiate: bearer('Negotiate'),
			'Basic whose realm speaks of Bearer': bearer('Basic realm="Bearer error=\\"invalid_token\\""'),
		}),
		calls(
			untouched(401),
			{'two others in two lines': bearer('Basic realm="x"', 'Negotiate abc==')},
			{except: [[/^Firefox/, 'it lets nobody read a challenge of several lines, and what cannot be read is none']]},
		),
	),
	fault(
		'F-49',
		'401 of two schemes',
		calls(renewed, {
			'in one line': bearer('Basic realm="x", Bearer error="invalid_token"'),
			'in two lines': bearer('Basic realm="x"', 'Bearer error="invalid_token"'),
			'in two lines, Bearer first': bearer('Bearer error="invalid_token"', 'Basic realm="x"'),
			'with a token68 before it': bearer('Negotiate YWJj==, Bearer error="invalid_token"'),
			'with empty elements': bearer(', ,Basic realm="x",, Bearer error="invalid_token", ,'),
			'with tabs': bearer('Basic realm="x",\tBearer\terror="invalid_token"'),
		}),
	),
	fault(
		'F-50',
		'insufficient_scope',
		challenges(401, 'Bearer error="insufficient_scope", scope="/accounts.write"'),
		challenges(403, 'Bearer error="insufficient_scope", scope="/accounts.write"'),
	),
	fault(
		'F-51',
		'insufficient_user_authentication',
		challenges(401, 'Bearer error="insufficient_user_authentication", acr_values="2", max_age="5"'),
		challenges(403, 'Bearer error="insufficient_user_authentication", acr_values="2"'),
		calls(untouched(401), {
			invalid_request: bearer('Bearer error="invalid_request"'),
		}),
		calls(renewed, {
			'another code': bearer('Bearer error="expired_token"'),
			'an unknown code': bearer('Bearer error="of_our_own"'),
			'an empty code': bearer('Bearer error=""'),
		}),
		calls(untouched(403), {'403 with invalid_token': {...bearer(), status: 403}}),
		calls(untouched(400), {'400 with invalid_token': {...bearer(), status: 400}}),
		calls(untouched(404), {'404 with invalid_token': {...bearer(), status: 404}}),
		calls(untouched(429), {'429 with invalid_token': {...bearer(), status: 429}}),
		calls(untouched(503), {'503 with invalid_token': {...bearer(), status: 503}}),
		calls(untouched(498), {'498, which some have for a dead token': {...bearer(), status: 498}}),
		calls(untouched(200), {'200 with invalid_token': {...bearer(), status: 200}}),
	),
	fault(
		'F-52',
		'a nonce for DPoP is asked for',
		calls(untouched(401), {
			alone: bearer('DPoP error="use_dpop_nonce"'),
			'with the nonce': {
				...bearer('DPoP error="use_dpop_nonce", algs="ES256"'),
				headers: [
					['www-authenticate', 'DPoP error="use_dpop_nonce"'],
					['dpop-nonce', 'n'],
				],
			},
		}),
	),
	fault(
		'F-53',
		'challenges that are none',
		calls(untouched(401), {
			Digest: bearer('Digest realm="x", nonce="y", qop="auth"'),
			'another scheme before the garbage': bearer('Basic realm="x", =,=="'),
		}),
		calls(renewed, {
			garbage: bearer('=,=="'),
			'an unterminated quote': bearer('Bearer error="invalid_token'),
			'a quote that ends in its escape': bearer('Bearer error="invalid_token\\"'),
			'Bearer before the garbage': bearer('Bearer error="invalid_token", =,=="'),
			JSON: bearer('{"error":"invalid_token"}'),
			'a token': bearer('"'),
		}),
		Object.entries({
			'Bearer at the end': `${'Basic realm="x",'.repeat(2048)} ${', \t'.repeat(10_000)}Bearer error="invalid_token"`,
			'quotes and escapes': `Bearer realm="${'\\"'.repeat(32_000)}`,
			'commas alone': ','.repeat(64_000),
			'a name alone': 'a'.repeat(64_000),
			'names and signs': 'a='.repeat(32_000),
		}).map(([title, challenge]): Case => ({
			title: `64 kB, ${title}`,
			async act({signIn, ky, get, room}) {
				await signIn();
				return [await get(ky({fetch: fakeApi(room.access_token, challenge)}).get('me'))];
			},
			expected: {gets: [200], grants: 1, session: 'second', events: ['token refresh']},
		})),
	),
	fault(
		'F-54',
		'401 for ever',
		{
			title: 'two hits and one grant, then ky’s HTTPError, whose body can be read',
			script: {api: {untilMended: bearer()}},
			async act({signIn, ky, get}) {
				await signIn();
				const outcome = await get(ky({throwHttpErrors: true}).get('me'));
				return [outcome, 'error' in outcome && String(Object(outcome.error).data)];
			},
			expected: {
				...renewed,
				gets: ['HTTPError 401', '{"why":"refused"}'],
				calls: ['first 401', 'second 401'],
			},
		},
		{
			title: 'by auth.fetch, the 401, whose body can be read',
			script: {api: {untilMended: bearer()}},
			async act({signIn, auth, room}) {
				await signIn();
				const response = await auth().fetch(`${room.api}me`);
				return [response.status, await response.text()];
			},
			expected: {...renewed, gets: [401, '{"why":"refused"}'], calls: ['first 401', 'second 401']},
		},
	),
	fault(
		'F-55',
		'401, a grant, then something else',
		[403, 500, 429, 404, 204].flatMap(status =>
			calls({...renewed, gets: [status], calls: ['first 401', `second ${status}`]}, {[status]: [bearer(), {status}]}),
		),
		{
			title: 'a reset is what it is without regrant, and no second grant',
			script: {api: [bearer(), ...times(60, (): Staged => ({fault: 'reset'}))]},
			async act({signIn, ky, get, room}) {
				await signIn();
				const ours = kindOf(await get(ky().get('me')));
				const bare = kindOf(await get(bareKy.get(room.api, {retry: 0})));
				return [bare === ours ? 'the same' : `${ours}, and not ${bare}`];
			},
			expected: {...renewed, gets: ['the same'], calls: ['first 401', 'second 0', 'none 0']},
		},
	),
	fault('F-56', '503, then 401', retries([{status: 503}, bearer()], ['first 503', 'first 401', 'second 200'])),
	fault(
		'F-57',
		'401, then 503 twice',
		retries([bearer(), {status: 503}, {status: 503}], ['first 401', 'second 503 ×2', 'second 200']),
		retries([{status: 503}, bearer(), {status: 503}], ['first 503', 'first 401', 'second 503', 'second 200']),
		retries(
			[bearer(), {status: 503}, bearer()],
			['first 401', 'second 503', 'second 401'],
			401,
			'one auth retry a call, also where the 401s come in different attempts',
		),
	),
	fault('F-58', 'retry: 0', {
		title: 'the auth retry works, and 401 for ever is an HTTPError',
		script: {api: [bearer(), {}, bearer(), bearer()]},
		async act({signIn, ky, get}) {
			await signIn();
			const api = ky({throwHttpErrors: true, retry: 0});
			return [await get(api.get('me')), await get(api.get('me'))];
		},
		expected: {
			gets: [200, 'HTTPError 401'],
			grants: 2,
			calls: ['first 401', 'second 200', 'second 401', 'third 401'],
			session: 'third',
			events: ['token refresh ×2'],
		},
	}),
	fault('F-59', 'throwHttpErrors: false', {
		title: '401 for ever is a plain response',
		script: {api: {untilMended: bearer()}},
		async act({signIn, ky}) {
			await signIn();
			const response = await ky({retry: 2}).get('me');
			return [response.status, await response.text()];
		},
		expected: {...renewed, gets: [401, '{"why":"refused"}'], calls: ['first 401', 'second 401']},
	}),
	fault('F-60', 'ky’s network retry after another call renewed', {
		title: 'sent with the current token',
		script: {api: [after(503)]},
		async act({signIn, ky, get, auth}) {
			await signIn();
			const renewing = auth();
			const hooks = {beforeRetry: [async () => void (await renewing.refresh())]};
			return [await get(ky().get('me', {hooks, retry: {limit: 1, delay: () => 1}, throwHttpErrors: true}))];
		},
		expected: {...renewed, calls: ['first 503', 'second 200']},
	}),
	fault('F-61', 'a late 401 for the old token', {
		title: 'resent with the current one, without a grant',
		script: {isDead: true, api: [{...bearer(), fault: 'held'}]},
		async act({signIn, auth, get, room}) {
			await signIn();
			const late = get(auth().fetch(`${room.api}me`));
			await room.arrivals('api', 1);
			const renewal = await get(auth().refresh());
			await room.release();
			return [renewal, await late];
		},
		expected: {...renewed, gets: [`the second token ${text}`, 200]},
	}),
	fault(
		'F-62',
		'many 401s at once',
		{
			title: 'a thousand are one grant and a thousand answers',
			async act(world) {
				const {signIn, ky, room} = world;
				await signIn();
				const api = ky({fetch: fakeApi(room.access_token)});
				return tally(
					await all(
						world,
						times(1000, () => api.get('me')),
					),
				);
			},
			expected: {gets: ['200 ×1000'], grants: 1, session: 'second', events: ['token refresh']},
		},
		{
			title: 'thirty of a real server, of two instances on one store',
			script: {isDead: true},
			async act(world) {
				const {signIn, ky, room, auth} = world;
				await signIn();
				const [api, own] = [ky(), auth()];
				const both = times(15, () => [api.get('me'), own.fetch(`${room.api}me`)]).flat();
				const outcomes = await all(world, both);
				const {token} = await room.log();
				return [...tally(outcomes), token.length];
			},
			// How many of them are refused first depends on how many can be on their way at once.
			expected: {gets: ['200 ×30', 1], grants: 1, session: 'second', events: ['token refresh'], calls: uncounted},
		},
	),
	fault(
		'F-63',
		'many 401s at once, and the refresh fails for now',
		Object.entries({
			'a 503': [after(503, ['retry-after', '1']), 'unexpected_status'],
			'a reset': [{fault: 'reset'}, 'network'],
			'a page': [page(200), 'not_json'],
		} satisfies Record<string, readonly [Staged, string]>).map(([title, [staged, code]]): Case => ({
			title: `a thousand and ${title} are one grant and a thousand errors, and the next call may try`,
			script: {token: {untilMended: staged}},
			async act(world) {
				const {signIn, ky, room, advance, get} = world;
				await signIn();
				const api = ky({fetch: fakeApi(room.access_token)});
				const outcomes = await all(
					world,
					times(1000, () => api.get('me')),
				);
				await room.mend();
				advance(2);
				return [...tally(outcomes), await get(api.get('me'))];
			},
			expected: {
				gets: [`${code} ×1000`, 200],
				grants: 2,
				session: 'second',
				events: [`refresh-failed ${code}`, 'token refresh'],
			},
		})),
	),
	fault(
		'F-64',
		'a body is sent again byte for byte',
		Object.entries({
			JSON: () => new Blob(['{"amount":1204,"note":"ü"}'], {type: 'application/json'}),
			text: () => 'grüße',
			URLSearchParams: () => new URLSearchParams({a: 'b c', d: 'ü&='}),
			FormData: () => {
				const form = new FormData();
				form.set('a', 'ü');
				form.set('file', new Blob([new Uint8Array([0, 255, 13, 10])], {type: 'image/x'}), 'f.bin');
				return form;
			},
			'a Blob': () => new Blob([allBytes()], {type: 'image/x'}),
			'an ArrayBuffer': () => allBytes().buffer,
			'a part of a buffer': () => allBytes().subarray(1, 999),
		} satisfies Record<string, () => BodyInit>).flatMap(([title, body]) =>
			['ky', 'auth.fetch', 'auth.fetch with a Request'].map((way): Case => ({
				title: `${title}, by ${way}`,
				script: {isDead: true},
				async act({signIn, ky, auth, room, get}) {
					await signIn();
					const url = `${room.api}me`;
					const init = {method: 'POST', body: body()};
					const calls: Readonly<Record<string, () => Promise<Response>>> = {
						ky: () => ky().post('me', {body: body()}),
						'auth.fetch': () => auth().fetch(url, init),
						'auth.fetch with a Request': () => auth().fetch(new Request(url, init)),
					};
					const outcome = await get(calls[way]?.() ?? Promise.reject(new Error(way)));
					const [first, second] = (await room.log()).api.map(({bytes, headers}) => bytes + headers['content-type']);
					return [outcome, first === second, (first?.length ?? 0) > 10];
				},
				expected: {...renewed, gets: [200, true, true]},
			})),
		),
	),
	fault('F-65', 'a stream is not sent again', {
		title: 'the token is renewed, and the 401 is the caller’s',
		script: {isDead: true},
		async act({signIn, auth, room, get}) {
			await signIn();
			const body = new Blob(['streamed']).stream();
			const init = {method: 'POST', body, duplex: 'half'} as RequestInit; // the DOM's types do not know duplex
			const sent = await get(auth().fetch(`${room.api}me`, init));
			const bodies = (await room.log()).api.map(({body}) => body);
			return [sent, bodies.join(), await get(auth().fetch(`${room.api}me`))];
		},
		expected: {...renewed, gets: [401, 'streamed', 200]},
		except: [
			[/^Chromium/, 'it sends streams over HTTP/2 alone'],
			[/^Firefox/, 'it sends the text that String makes of a stream'],
			[/^WebKit/, 'it sends no streams'],
			[/^happy-dom/, 'it does as browsers do, and streams of Node are none of its own'],
		],
	}),
	fault('F-66', 'one Request given twice', [
		{
			title: 'the platform’s TypeError, and never an empty body',
			async act({signIn, auth, room, get}) {
				await signIn();
				const request = new Request(`${room.api}me`, {method: 'POST', body: 'once'});
				const outcomes = [await get(auth().fetch(request)), await get(auth().fetch(request))];
				return [...outcomes.map(kindOf), ...(await room.log()).api.map(({body}) => body)];
			},
			// A copy of theirs leaves the body where it was, whole.
			expected: ({runtime}) =>
				/^(?:Bun|happy-dom)/.test(runtime)
					? {gets: ['200', '200', 'once', 'once'], calls: ['first 200 ×2']}
					: {gets: ['200', 'TypeError', 'once'], calls: ['first 200']},
		},
		{
			title: 'the platform’s TypeError, where somebody has read its body before',
			async act({signIn, auth, room, get}) {
				await signIn();
				const request = new Request(`${room.api}me`, {method: 'POST', body: 'once'});
				await request.text();
				return [kindOf(await get(auth().fetch(request)))];
			},
			expected: {gets: ['TypeError'], calls: []},
		},
	]),
	fault('F-67', 'keepalive and more than 64 kB', {
		title: 'the browser’s TypeError, passed on, or served where the browser takes it from a copy',
		async act({signIn, auth, room, get}) {
			await signIn();
			const send = async (send: typeof fetch): Promise<string> =>
				kindOf(await get(send(`${room.api}me`, {method: 'POST', body: 'x'.repeat(70_000), keepalive: true})));
			const [bare, ours] = [await send((...given) => fetch(...given)), await send(auth().fetch)];
			return [ours === '200' || ours === bare ? 'right' : `${ours}, and not ${bare}`];
		},
		expected: {gets: ['right'], calls: uncounted},
	}),
	fault(
		'F-68',
		'an Authorization of the caller’s own',
		Object.entries({
			'in the headers of ky': ({ky, room}) => ky({headers: {authorization: 'Basic b3du'}}).get(`${room.api}me`),
			'in another case': ({auth, room}) => auth().fetch(`${room.api}me`, {headers: {AUTHORIZATION: 'Bearer own'}}),
			'on a Request': ({auth, room}) =>
				auth().fetch(new Request(`${room.api}me`, {headers: [['Authorization', 'Bearer own']]})),
			'by a hook of ky': ({ky}) =>
				ky().get('me', {
					hooks: {beforeRequest: [({request}) => request.headers.set('authorization', 'Bearer own')]},
				}),
		} satisfies Record<string, (world: World) => Promise<Response>>).map(([title, call]): Case => ({
			title: `${title}: untouched, and its 401 causes no grant`,
			async act(world) {
				await world.signIn();
				return [await world.get(call(world))];
			},
			expected: {gets: [401], calls: ['own 401']},
		})),
	),
	fault(
		'F-69',
		'a redirect within A, then 401',
		[301, 302, 303, 307, 308].flatMap(status =>
			calls(
				{...renewed, calls: [`first ${status}`, 'first 401', 'second 200']},
				{[`${status}: the original URL is sent again`]: [redirect(status, '<api>there'), bearer()]},
			),
		),
	),
	fault(
		'F-70',
		'a redirect to B, which answers 401',
		[301, 302, 303, 307, 308].flatMap(status =>
			calls(
				{gets: [401], calls: [`first ${status}`], foreign: ['none']},
				{[`${status}: no token at B, and no grant`]: redirect(status, '<elsewhere>there')},
			),
		),
	),
	fault(
		'F-71',
		'input that leads to B',
		Object.entries({
			'an absolute URL': ({href}) => href,
			'//b/': ({host, pathname}) => `//${host}${pathname}`,
			'/\\b/': ({host, pathname}) => `/\\${host}${pathname}`,
			'\\\\b/': ({host, pathname}) => `\\\\${host}${pathname}`,
			'a tab and //b/': ({host, pathname}) => `\t//${host}${pathname}`,
			'a line feed in //b/': ({host, pathname}) => `/\n/${host}${pathname}`,
			'a line feed in the scheme': ({href}) => href.replace('h', 'h\n'),
			'spaces before it': ({href}) => `  ${href}`,
			'a scheme in capitals': ({href}) => href.replace('http', 'HTTP'),
			'the API as its user name': ({href, host}) => href.replace(host, `127.0.0.1@${host}`),
			'a URL object': url => url,
			'a Request': url => new Request(url),
		} satisfies Record<string, (b: URL) => string | URL | Request>).map(([title, input]): Case => ({
			title: `${title}: no token at B, and no grant`,
			async act({signIn, ky, room, get}) {
				await signIn();
				const outcome = await get((async () => ky().get(input(new URL(room.elsewhere))))());
				// A platform may refuse what would be a user name.
				return ['error' in outcome && title.includes('user name') ? 401 : outcome];
			},
			expected: ({runtime}) => {
				if (title.includes('user name')) return {gets: [401], foreign: uncounted};
				const isRefused = runtime.startsWith('workerd 2024') && /line feed in the scheme|spaces/.test(title);
				return isRefused ? {gets: ['TypeError']} : {gets: [401], foreign: ['none']};
			},
		})),
		{
			title: 'a Request that a hook of ky puts in place: no token at B',
			async act({signIn, ky, room, get}) {
				await signIn();
				const hooks = {beforeRequest: [() => new Request(room.elsewhere)]};
				return [await get(ky().get('me', {hooks}))];
			},
			expected: {gets: [401], foreign: ['none']},
		},
		{
			title: 'a Request that a retry of ky puts in place: no token at B',
			script: {api: [after(503)]},
			async act({signIn, ky, room, get}) {
				await signIn();
				const hooks = {beforeRetry: [() => new Request(room.elsewhere)]};
				const options = {hooks, retry: {limit: 1, delay: () => 1}, throwHttpErrors: true};
				return [await get(ky().get('me', options))];
			},
			expected: {gets: ['HTTPError 401'], calls: ['first 503'], foreign: ['none']},
		},
	),
	fault(
		'F-72',
		'origins are compared as a whole',
		(
			[
				['https://api.example.com:8443/', false],
				['http://api.example.com/', false],
				['https://api.example.com.evil.com/', false],
				['https://notexample.com/', false],
				['https://api.example.comx/', false],
				['https://evil.com/?https://api.example.com/', false],
				['https://evil.com/https://api.example.com/', false],
				['https://evil.com/#https://api.example.com/', false],
				['https://sub.api.example.com/', false],
				['https://example.com/', false],
				['https://api.example.com./', false],
				['https://API.example.com/', true],
				['https://api.example.com:443/', true],
				['https://api.example.com', true],
				['https://xn--bcher-kva.example/', true, 'https://bücher.example'],
				['https://bücher.example/', true, 'https://xn--bcher-kva.example'],
				['https://BÜCHER.example/', true, 'https://bücher.example/v1'],
				['https://api.example.com/', true, 'https://API.example.com:443/v1?x'],
				['http://127.0.0.1:8080/', true, 'http://127.0.0.1:8080'],
				['http://127.0.0.1:80/', false, 'http://127.0.0.1:8080'],
				['http://localhost:8080/', false, 'http://127.0.0.1:8080'],
				['http://[::1]:8080/', true, 'http://[0:0::1]:8080'],
			] as ReadonlyArray<readonly [url: string, isAllowed: boolean, origin?: string]>
		).map(([url, isAllowed, origin = 'https://api.example.com']): Case => ({
			title: `${url} is ${isAllowed ? '' : 'not '}${origin}`,
			async act({signIn, ky, get}) {
				await signIn();
				let has: boolean | undefined;
				const own: typeof fetch = async input => {
					has = (input as Request).headers.has('authorization'); // regrant gives a Request
					return new Response('ok');
				};
				return [await get(ky({fetch: own}, {origins: [origin]}).get(url)), has];
			},
			expected: {gets: [200, isAllowed]},
		})),
	),
	fault(
		'F-73',
		'the caller leaves',
		{
			title: 'before sending: it rejects with the caller’s reason, and nothing is sent',
			script: {isDead: true},
			async act({signIn, auth, ky, get, room}) {
				await signIn('over');
				const gone = AbortSignal.abort();
				const leaving = auth();
				return [
					await get(leaving.fetch(`${room.api}me`, {signal: gone})),
					await get(ky().get('me', {signal: gone})),
					await get(leaving.getToken({signal: gone})),
					await get(leaving.refresh({signal: gone})),
				];
			},
			expected: {gets: times(4, () => 'AbortError')},
		},
		...(['ky', 'auth.fetch', 'getToken', 'refresh'] as const).map((way): Case => ({
			title: `during a refresh, by ${way}: it rejects at once, and the grant goes on`,
			script: {token: [{fault: 'held'}]},
			async act(world) {
				const {signIn, auth, get, room} = world;
				await signIn('over');
				const caller = new AbortController();
				const leaving = get(ways(world, caller.signal)[way]());
				await room.arrivals('token', 1);
				caller.abort();
				const left = await leaving;
				await room.release();
				return [left, await get(auth().fetch(`${room.api}me`))];
			},
			expected: {
				gets: ['AbortError', 200],
				grants: 1,
				calls: ['second 200'],
				session: 'second',
				events: ['token refresh'],
			},
		})),
		{
			title: 'while the renewal after its 401 is under way: it is not sent again',
			script: {isDead: true, token: [{fault: 'held'}]},
			async act({signIn, auth, get, room}) {
				await signIn();
				const caller = new AbortController();
				const leaving = get(auth().fetch(`${room.api}me`, {signal: caller.signal}));
				await room.arrivals('token', 1);
				caller.abort();
				const left = await leaving;
				const renewed = new Promise<void>(resolve => auth().subscribe(() => resolve()));
				await room.release();
				await renewed;
				return [left, await get(auth().getToken())];
			},
			expected: {
				gets: ['AbortError', `the second token ${text}`],
				grants: 1,
				calls: ['first 401'],
				session: 'second',
				events: ['token refresh'],
			},
		},
		{
			title: 'after the renewal: it ends the call that is sent again',
			script: {isDead: true, api: [bearer(), {fault: 'held'}]},
			async act({signIn, auth, get, room}) {
				await signIn();
				const caller = new AbortController();
				const leaving = get(auth().fetch(`${room.api}me`, {signal: caller.signal}));
				await room.arrivals('api', 2);
				caller.abort();
				const left = await leaving;
				await room.release();
				return [left];
			},
			expected: {...renewed, gets: ['AbortError'], calls: ['first 401', 'second 200']},
		},
		{
			title: 'with a reason of the caller’s own: it is that',
			script: {token: [{fault: 'held'}]},
			async act({signIn, auth, get, room}) {
				await signIn('over');
				const caller = new AbortController();
				const reason = new RangeError('of the caller');
				const leaving = get(auth().getToken({signal: caller.signal}));
				await room.arrivals('token', 1);
				caller.abort(reason);
				const left = await leaving;
				await room.release();
				return ['error' in left && left.error === reason, await get(auth().getToken())];
			},
			expected: {gets: [true, `the second token ${text}`], grants: 1, session: 'second', events: ['token refresh']},
		},
	),
	fault('F-74', 'one of those who wait leaves', {
		title: 'the others are served',
		script: {token: [{fault: 'held'}]},
		async act(world) {
			const {signIn, auth, get, room} = world;
			await signIn('over');
			const caller = new AbortController();
			const [staying, other] = [auth(), auth()];
			const others = [staying.refresh(), other.getToken(), other.fetch(`${room.api}me`)].map(get);
			const leaving = get(staying.getToken({signal: caller.signal}));
			await room.arrivals('token', 1);
			caller.abort();
			const left = await leaving;
			await room.release();
			return [left, ...(await Promise.all(others))];
		},
		expected: {
			gets: ['AbortError', `the second token ${text}`, `the second token ${text}`, 200],
			grants: 1,
			calls: ['second 200'],
			session: 'second',
			events: ['token refresh'],
		},
	}),
	fault('F-75', 'all who wait leave', {
		title: 'the grant ends well, its token is stored, and the next call is served with it',
		script: {token: [{fault: 'held'}]},
		async act(world) {
			const {signIn, auth, get, room} = world;
			await signIn('over');
			const caller = new AbortController();
			const leaving = Object.values(ways(world, caller.signal)).map(way => get(way()));
			await room.arrivals('token', 1);
			caller.abort();
			const left = await Promise.all(leaving);
			await room.release();
			return [...left, await get(auth().fetch(`${room.api}me`))];
		},
		expected: {
			gets: [...times(4, () => 'AbortError'), 200],
			grants: 1,
			calls: ['second 200'],
			session: 'second',
			events: ['token refresh'],
		},
	}),
	fault('F-76', 'timeout of ky, shorter than the refresh', impatience({timeout: 100})),
	fault('F-77', 'totalTimeout of ky, shorter than the refresh', impatience({totalTimeout: 100, timeout: false})),
	fault('F-78', 'timeout: false, and the token endpoint hangs', {
		title: 'our own deadline ends it',
		script: {token: [{fault: 'hang'}]},
		async act({signIn, ky, get, advance}) {
			await signIn('over');
			const late = await get(ky({timeout: false}, {timeout: 1000}).get('me'));
			advance(1);
			return [late, await get(ky().get('me'))];
		},
		expected: {
			gets: [`${timeout}, retryable`, 200],
			grants: 2,
			calls: ['second 200'],
			session: 'second',
			events: ['refresh-failed timeout', 'token refresh'],
		},
	}),
	fault(
		'F-79',
		'methods and modes',
		['GET', 'HEAD', 'OPTIONS', 'QUERY', 'DELETE', 'PATCH', 'PUT'].map((method): Case => ({
			title: `401 for ${method}`,
			script: {isDead: true},
			async act({signIn, auth, room, get}) {
				await signIn();
				const outcome = await get(auth().fetch(`${room.api}me`, {method}));
				const methods = (await room.log()).api.map(seen => seen.method);
				return [outcome, methods.join()];
			},
			expected: {...renewed, gets: [200, `${method},${method}`]},
		})),
		{
			title: 'no-cors: nothing can be read, and nothing is granted',
			async act({signIn, auth, room, get}) {
				await signIn();
				return [await get(auth().fetch(`${room.api}me`, {mode: 'no-cors'}))];
			},
			// The platform drops the header.
			expected: {gets: [0], calls: ['none 401']},
			except: [[/^(?:Node|Deno|Bun|workerd|happy-dom)/, 'it has no CORS, and so no mode']],
		},
		{
			title: '407 with invalid_token causes no grant',
			async act({signIn, ky, get}) {
				await signIn();
				const headers = {'www-authenticate': 'Bearer error="invalid_token"'};
				// Most platforms make a network error of one that comes over the network.
				return [await get(ky({fetch: async () => new Response(null, {status: 407, headers})}).get('me'))];
			},
			expected: {gets: [407]},
		},
		asBare('407', after(407)),
	),

	// The clock.
	fault('F-80', 'the clock goes ahead by an hour', {
		title: 'one early renewal, and not one a call',
		async act(world) {
			const {signIn, auth, room, advance} = world;
			await signIn();
			advance(3600);
			const calling = auth();
			const statuses: Settled[] = [];
			for (let count = 0; count < 5; count++) statuses.push(await world.get(calling.fetch(`${room.api}me`)));
			return tally(statuses);
		},
		expected: {gets: ['200 ×5'], grants: 1, calls: ['second 200 ×5'], session: 'second', events: ['token refresh']},
	}),
	fault('F-81', 'the clock goes back by an hour', {
		title: 'the expiry is not known: the token is used, and the 401 decides',
		async act({signIn, auth, room, advance, get}) {
			await signIn();
			advance(-3600);
			const calling = auth();
			const before = await get(calling.fetch(`${room.api}me`));
			await room.expire();
			return [before, await get(calling.fetch(`${room.api}me`)), await get(calling.fetch(`${room.api}me`))];
		},
		expected: {
			gets: [200, 200, 200],
			grants: 1,
			calls: ['first 200', 'first 401', 'second 200 ×2'],
			session: 'second',
			events: ['token refresh'],
		},
	}),
	fault(
		'F-82',
		'eight hours of sleep',
		{
			title: 'idle: one grant on waking, and no burst',
			async act(world) {
				const {signIn, auth, room, advance} = world;
				await signIn();
				advance(8 * 3600);
				const calling = auth();
				return tally(
					await all(
						world,
						times(30, () => calling.fetch(`${room.api}me`)),
					),
				);
			},
			expected: {gets: ['200 ×30'], grants: 1, calls: ['second 200 ×30'], session: 'second', events: ['token refresh']},
		},
		{
			title: 'in a grant: it serves those who waited, and all others are one grant more',
			script: {token: [{fault: 'held'}]},
			async act(world) {
				const {signIn, auth, room, advance} = world;
				await signIn('over');
				const calling = auth();
				const waiting = all(
					world,
					times(5, () => calling.fetch(`${room.api}me`)),
				);
				await room.arrivals('token', 1);
				advance(8 * 3600);
				await room.release();
				const waited = await waiting;
				return [
					...tally(waited),
					...tally(
						await all(
							world,
							times(5, () => calling.fetch(`${room.api}me`)),
						),
					),
				];
			},
			expected: {
				gets: ['200 ×5', '200 ×5'],
				grants: 2,
				calls: ['second 200 ×5', 'third 200 ×5'],
				session: 'third',
				events: ['token refresh ×2'],
			},
		},
	),
	fault('F-83', 'the clock of the server is ahead', {
		title: 'a fresh token is answered 401: one retry, then the 401, and no loop',
		script: {api: {untilMended: bearer()}},
		async act(world) {
			const {signIn, auth, room, get} = world;
			await signIn();
			const calling = auth();
			const statuses: Settled[] = [];
			for (let count = 0; count < 3; count++) statuses.push(await get(calling.fetch(`${room.api}me`)));
			await room.mend();
			return [...statuses, await get(calling.fetch(`${room.api}me`))];
		},
		expected: {
			gets: [401, 401, 401, 200],
			grants: 1,
			calls: ['first 401', 'second 401 ×3', 'second 200'],
			session: 'second',
			events: ['token refresh'],
		},
	}),
	fault('F-84', 'the clock stands still', {
		title: 'nobody waits for it',
		script: {isDead: true, token: [after(503)]},
		async act({signIn, auth, room, get}) {
			await signIn();
			const calling = auth();
			const during = [await get(calling.fetch(`${room.api}me`)), await get(calling.refresh())];
			await calling.setToken({
				access_token: room.access_token,
				refresh_token: room.refresh_token,
				token_type: 'Bearer',
			});
			return [...during, await get(calling.getToken())];
		},
		expected: {
			gets: [
				`${unexpected}, retryable`,
				`${unexpected}, retryable`,
				'the first token while it is accepted, scope unknown',
			],
			grants: 1,
			calls: ['first 401'],
			events: ['refresh-failed unexpected_status', 'token set'],
		},
	}),
	fault('F-85', 'a stored token older than its lifetime', {
		title: 'renewed first, and not sent for a sure 401',
		store: ({access_token, refresh_token}) => {
			const issued_at = Math.floor(Date.now() / 1000) - 700;
			return keeping({access_token, refresh_token, token_type: 'Bearer', issued_at, expires_at: issued_at + 600});
		},
		async act({auth, room, get}) {
			return [await get(auth().fetch(`${room.api}me`))];
		},
		expected: {gets: [200], grants: 1, calls: ['second 200'], session: 'second', events: ['token refresh']},
	}),

	// Stores.
	fault(
		'F-86',
		'the store cannot be used',
		Object.entries({
			'a Web Storage that throws SecurityError': () =>
				webStorage('refused', {getItem: refuse, setItem: refuse, removeItem: refuse}),
			'a store that throws': () => ({get: refuse, set: refuse, delete: refuse}),
			'a store that rejects': () => ({get: reject, set: reject, delete: reject}),
		} satisfies Record<string, () => TokenStore | StoreDriver>).map(([title, store]): Case => ({
			title: `${title}: memory instead, and it is told once`,
			store,
			async act(world) {
				const {auth, room, get} = world;
				const calling = auth();
				const login = {...loginOf(world), expires_in: 0};
				const kept = await get(calling.setToken(login));
				const statuses = [await get(calling.fetch(`${room.api}me`)), await get(calling.fetch(`${room.api}me`))];
				return [kept, ...statuses];
			},
			expected: {
				gets: ['StoreError store_write, retryable', 200, 200],
				grants: 1,
				calls: ['second 200 ×2'],
				// A store of regrant's gives what is in memory.
				session: title.startsWith('a Web Storage') ? 'second' : 'out of reach',
				events: ['store-failed store_read', 'token set', 'token refresh'],
			},
		})),
	),
	fault('F-87', 'the store is full after a rotation', {
		title: 'the call is served, it is told, and the token is written at the next chance',
		store: () =>
			failingOnce(token => {
				throw new DOMException(`The quota is exceeded by ${JSON.stringify(token)}`, 'QuotaExceededError');
			}),
		async act({signIn, auth, room, get}) {
			await signIn('over');
			return [await get(auth().fetch(`${room.api}me`)), await get(auth().fetch(`${room.api}me`))];
		},
		expected: {
			gets: [200, 200],
			grants: 1,
			calls: ['second 200 ×2'],
			session: 'second',
			events: ['store-failed store_write', 'token refresh'],
		},
	}),
	fault(
		'F-88',
		'a store that is slow to say that it failed',
		{
			title: 'it never settles: memory instead, after a deadline',
			store: () => ({get: hang, set: hang, delete: hang}),
			async act(world) {
				const {auth, room, get} = world;
				const calling = auth({timeout: 100});
				const kept = await get(calling.setToken({...loginOf(world), expires_in: 600}));
				return [kept, await get(calling.fetch(`${room.api}me`))];
			},
			expected: {
				gets: ['StoreError store_write, retryable', 200],
				calls: ['first 200'],
				session: 'out of reach',
				events: ['store-failed store_read', 'token set'],
			},
		},
		{
			title: 'a write after a rotation never settles: the call is served all the same',
			store: () => failingOnce(hang),
			async act({signIn, auth, room, get}) {
				await signIn('over');
				const during = await get(auth({timeout: 1000}).fetch(`${room.api}me`));
				// While it hangs it is asked nothing, for as long as the deadline is. That is measured by a clock that nobody can set.
				await new Promise(resolve => setTimeout(resolve, 1200));
				return [during, await get(auth().fetch(`${room.api}me`))];
			},
			expected: {
				gets: [200, 200],
				grants: 1,
				calls: ['second 200 ×2'],
				session: 'second',
				events: ['store-failed store_write', 'token refresh'],
			},
		},
	),
	fault(
		'F-89',
		'a record that is none',
		records(['store-failed store_corrupt'], {
			'text that is no JSON': () => 'hunter2-hunter2',
			'a token as text': ({access_token}) => access_token,
			'an empty object': () => ({}),
			'another shape': ({access_token}) => ({accessToken: access_token, tokenType: 'Bearer', version: 1}),
			'a list': ({access_token}) => [access_token],
			'a number': () => 42,
			'no issued_at': ({access_token}) => ({access_token, token_type: 'Bearer'}),
			'a type that is not known': record => ({...record, token_type: 'mac'}),
			'a token that is a number': record => ({...record, access_token: 42}),
		}),
		records([], {null: () => null, undefined: () => undefined}),
	),
	fault(
		'F-90',
		'a record that was tampered with',
		records(['store-failed store_corrupt'], {
			'a token with a line break': record => ({...record, access_token: `${record.access_token}\r\nx-evil: 1`}),
			'a refresh token with a line break': record => ({...record, refresh_token: `${record.refresh_token}\r\n`}),
			'a token beyond Latin-1': record => ({...record, access_token: `${record.access_token}Ā`}),
		}),
		{
			title: 'endpoints and origins in it change nothing of where a token goes',
			store: ({access_token, refresh_token, elsewhere}) => {
				const planted = {
					token_endpoint: elsewhere,
					tokenEndpoint: elsewhere,
					revocationEndpoint: elsewhere,
					origin: elsewhere,
					origins: [elsewhere],
					clientId: 'evil',
					headers: {'x-evil': '1'},
				};
				const issued_at = Math.floor(Date.now() / 1000) - 700;
				return keeping({...planted, access_token, refresh_token, token_type: 'Bearer', issued_at, expires_at: 1});
			},
			async act({room, auth, get}) {
				const calling = auth();
				return [
					await get(calling.fetch(`${room.api}me`)),
					await get(calling.fetch(room.elsewhere)),
					await get(calling.signOut()),
				];
			},
			expected: {
				gets: [200, 401, undefined],
				grants: 1,
				calls: ['second 200'],
				foreign: ['none'],
				session: 'none',
				events: ['token refresh', 'session-ended signed_out'],
			},
		},
	),
	fault(
		'F-91',
		'__proto__ in an answer or a record',
		renewals(refused(invalid), {
			'the fields of a token in it': typed('application/json', `{"__proto__":${token().body}}`),
			'in a constructor': typed('application/json', `{"constructor":{"prototype":${token().body}}}`),
		}),
		readings(text, {
			'in a form, it is dropped': typed(
				'application/x-www-form-urlencoded',
				'access_token=<access>&expires_in=600&__proto__=x',
			),
			'a token type in it is dropped': typed(
				'application/json',
				'{"access_token":"<access>","expires_in":600,"__proto__":{"token_type":"mac"}}',
			),
			'beside a good token, it is dropped': typed(
				'application/json',
				'{"__proto__":{"refresh_token":"evil","expires_in":1},"access_token":"<access>","token_type":"Bearer","expires_in":600}',
			),
		}),
		records(['store-failed store_corrupt'], {
			'the fields of a record in it': record => JSON.parse(`{"__proto__":${JSON.stringify(record)}}`) as unknown,
		}),
		{
			title: 'nothing is polluted',
			script: {
				token: [
					typed('application/json', '{"__proto__":{"polluted":1},"access_token":"<access>","token_type":"Bearer"}'),
				],
			},
			async act({signIn, auth, get}) {
				await signIn();
				const outcome = await get(auth().refresh());
				return [outcome, 'polluted' in {}];
			},
			expected: {
				gets: ['the second token while it is accepted, scope a b', false],
				grants: 1,
				events: ['token refresh'],
			},
		},
	),
	fault(
		'F-92',
		'Object.prototype has the fields of a token',
		Object.entries({
			'an answer without a token type is Bearer': {
				staged: token({token_type: undefined}),
				expected: {gets: [`the second token ${text}`], session: 'first', events: ['token refresh']},
			},
			'an answer without an access token is not usable': {
				staged: token({access_token: undefined}),
				expected: {gets: [invalid], events: ['refresh-failed invalid_response']},
			},
		}).map(([title, {staged, expected}]): Case => ({
			title,
			script: {token: [staged]},
			async act(world) {
				await world.signIn();
				const renewing = world.auth();
				const inherited = {token_type: 'mac', access_token: 'polluted', expires_in: 60};
				return [await polluted(inherited, () => world.get(renewing.refresh()))];
			},
			expected: {...expected, grants: 1},
			isAlone: true,
		})),
	),
	fault(
		'F-93',
		'Object.prototype has options',
		pollution(
			'those of regrant: no effect on any request',
			({elsewhere}, secret) => ({
				clientSecret: secret,
				client_secret: secret,
				client_id: secret,
				clientAuthentication: () => Promise.reject(new Error(secret)),
				fetch: () => Promise.reject(new Error(secret)),
				retry: 5,
				origins: [elsewhere],
				tokenTypes: ['mac'],
				grant: {grant_type: 'client_credentials', scope: secret},
				scope: secret,
			}),
			({auth, room}) => auth().fetch(`${room.api}me`),
			{gets: [200, 'POST grant_type,refresh_token,client_id', 'GET ', false], calls: ['second 200']},
		),
		// What a call of the API inherits of these is the doing of the platform: its own `fetch` reads them.
		pollution(
			'those of the platform’s fetch: no effect on a token request',
			(_, secret) => ({
				headers: {'x-evil': secret},
				method: 'PUT',
				redirect: 'follow',
			}),
			({auth}) => auth().refresh(),
			{gets: [`the second token ${text}`, 'POST grant_type,refresh_token,client_id', 'none', false]},
		),
		{
			...pollution(
				'a signal that is aborted: no effect on a token request',
				() => ({signal: AbortSignal.abort()}),
				({auth}) => auth().refresh(),
				{gets: [`the second token ${text}`, 'POST grant_type,refresh_token,client_id', 'none', false]},
			),
			except: [[/^(?:Node|happy-dom)/, 'its sockets read it too, and so nothing can be sent at all']],
		},
	),
	fault('F-94', 'two writers, the older one comes last', {
		title: 'a record that came meanwhile is not replaced, and its token is the one to use',
		script: {token: [token({refresh_token: '<refresh>'}), {...token({refresh_token: '<refresh>'}), fault: 'held'}]},
		store: () => keeping(),
		async act(world) {
			const {auth, signIn, get, room, driver, options} = world;
			await signIn();
			const place = memoryStore();
			const other = createAuth(options({store: place}));
			await other.setToken({...loginOf(world), expires_in: 600});
			await other.refresh();
			const renewing = get(auth().refresh());
			await room.arrivals('token', 2);
			await driver().set(place.peek() as TokenSet); // what the other one stored
			await room.release();
			return [await renewing];
		},
		expected: {
			gets: ['the second token for 600 s, scope unknown'],
			grants: 2,
			session: 'second',
			events: ['token store'],
		},
	}),
	fault('F-95', 'the write of another holder shows late', {
		title: 'after invalid_grant the store is looked at again, and its token is adopted',
		script: {token: [token({refresh_token: '<refresh>'}), json({error: 'invalid_grant'}, {status: 400})]},
		store: createLateStore,
		async act(world) {
			const {auth, signIn, get, driver, options} = world;
			await signIn();
			const place = memoryStore();
			const other = createAuth(options({store: place}));
			await other.setToken({...loginOf(world), expires_in: 600});
			await other.refresh();
			(driver() as LateStore).showLater(place.peek()); // made by createLateStore
			return [await get(auth().refresh())];
		},
		expected: {
			gets: ['the second token for 600 s, scope unknown'],
			grants: 2,
			session: 'second',
			events: ['token store'],
		},
	}),

	// Tabs, processes, isolates.
	elsewhere(
		'F-96',
		'tabs refresh at once',
		'it takes several tabs',
		{
			file: 'test/support/tab-spec.ts',
			title: 'eight tabs with five callers each make one grant on one dead token [R71, F-96]',
		},
		{
			file: 'test/e2e/browser/frames.real.test.ts',
			title: 'a page and its frames make one grant on one expired token [R71, F-96]',
		},
	),
	elsewhere(
		'F-97',
		'a tab is closed while it holds the lock',
		'it takes several tabs',
		{file: 'test/support/tab-spec.ts', title: 'the lock of a tab that is closed goes to the next [F-97]'},
		{
			file: 'test/e2e/browser/frames.real.test.ts',
			title: 'the lock of a frame that is removed is had by the page [F-97]',
		},
	),
	elsewhere('F-98', 'a tab is killed after the rotation, before the write', 'it takes several tabs', {
		file: 'test/stores/tabs.test.ts',
		title: 'that is gone between rotation and write ends the session cleanly, and once [F-98]',
	}),
	elsewhere('F-99', 'a tab is frozen while it holds the lock', 'it takes several tabs', {
		file: 'test/stores/tabs.test.ts',
		title: 'that never frees the lock makes the refresh of the others fail in time [F-99]',
	}),
	elsewhere(
		'F-100',
		'a page comes back from the back/forward cache',
		'it takes a tab with a history',
		{
			file: 'test/stores/tabs.test.ts',
			title: 'reads the store again when it is told that it comes from the back/forward cache [F-100]',
		},
		{
			file: 'test/stores/tabs.test.ts',
			title: 'to which locks are refused with a %s lets its callers take turns [R75, F-100]',
		},
	),
	elsewhere(
		'F-101',
		'a sign-out in B during a refresh in A',
		'it takes several tabs, processes or isolates',
		{file: 'test/support/tab-spec.ts', title: 'a sign-out in one tab wins over a refresh in another [R76, F-101]'},
		{
			file: 'test/stores/redis-processes.test.ts',
			title: 'a sign-out in one wins over a refresh in another, whose late token is revoked [R76, F-101]',
		},
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'R76, F-101: a sign-out in one isolate wins over a refresh in another',
		},
	),
	elsewhere(
		'F-102',
		'another user signs in in B while A waits for the lock',
		'it takes several tabs, processes or isolates',
		{
			file: 'test/support/tab-spec.ts',
			title: 'another login in one tab is neither used nor overwritten by those who wait in another [F-102]',
		},
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'F-102: another login in one isolate is neither overwritten nor used by a refresh in another',
		},
	),
	elsewhere(
		'F-103',
		'a synchronous throw inside a lock callback',
		'only a store can be made to, and the specification of all stores does it',
		{file: 'test/support/token-store-spec.ts', title: 'F-103: a task that throws at once frees the lock'},
		{file: 'test/stores/shared/lease.test.ts', title: 'that fails, or throws at once, gives it back [F-103]'},
	),
	elsewhere(
		'F-104',
		'two processes',
		'it takes several processes',
		{file: 'test/stores/redis.test.ts', title: 'makes one grant for each token that expires [R71, F-104]'},
		{file: 'test/stores/deno-kv.test.ts', title: 'make one grant for each token that expires [R71, F-104]'},
	),
	elsewhere('F-105', '20 isolates, one refresh token', 'it takes several isolates', {
		file: 'test/e2e/workerd/isolates.test.ts',
		title: 'R81, F-105, F-109: fifty callers in three isolates make one grant for each expiry',
	}),
	fault('F-106', 'a server that answers every refresh with 200', {
		title: 'one is sent, and one family is stored',
		script: {isLenient: true},
		async act(world) {
			const {signIn, auth, room} = world;
			await signIn('over');
			const [first, second] = [auth(), auth()];
			const outcomes = await all(
				world,
				times(20, () => [first.fetch(`${room.api}me`), second.fetch(`${room.api}me`)]).flat(),
			);
			return tally(outcomes);
		},
		expected: {gets: ['200 ×40'], grants: 1, calls: ['second 200 ×40'], session: 'second', events: ['token refresh']},
	}),
	elsewhere(
		'F-107',
		'Workers: the request that began a grant returns early',
		'it takes several requests of one isolate',
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'R82, F-107, F-108: with waitUntil, everybody gets the token of its grant',
		},
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'R82, F-107, F-108: without, nobody waits for ever, and the session lives on',
		},
	),
	elsewhere(
		'F-108',
		'Workers: the client of the request that began a grant disconnects',
		'it takes several requests of one isolate',
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'R82, F-107, F-108: without, nobody waits for ever, and the session lives on',
		},
	),
	elsewhere(
		'F-109',
		'Durable Object, 50 callers',
		'it takes several isolates',
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'R81, F-105, F-109: fifty callers in three isolates make one grant for each expiry',
		},
		{file: 'test/e2e/workerd/isolates.test.ts', title: 'F-109: callers that leave change nothing for those who stay'},
	),
	elsewhere('F-110', 'a Durable Object is evicted in the middle of a grant', 'it takes an object that restarts', {
		file: 'test/e2e/workerd/isolates.test.ts',
		title: 'F-110: an object that restarts in the middle of a grant keeps its session, and there is one grant',
	}),

	// Secrets. Each case of this table is searched for them: these are those that could have most to tell.
	fault('F-111', 'an error of ky, printed', {
		title: 'nothing of it has the token',
		script: {api: [bearer(), {status: 500, body: 'no'}]},
		async act({signIn, ky, get, see}) {
			await signIn();
			const outcome = await get(ky({throwHttpErrors: true}).get('me'));
			const {request, options} = Object('error' in outcome && outcome.error) as Record<string, unknown>;
			see([request, options]);
			return [outcome, (request as Request).headers.has('authorization')]; // ky’s errors have it
		},
		expected: {...renewed, gets: ['HTTPError 500', false], calls: ['first 401', 'second 500']},
	}),
	fault(
		'F-112',
		'every way for a token call to fail, for every way to be known',
		Object.entries({
			'HTTP Basic': secret => ({clientAuthentication: clientSecretBasic(secret)}),
			'HTTP Basic, raw': secret => ({clientAuthentication: clientSecretBasic(secret, {encoding: 'raw'})}),
			'the secret in the body': secret => ({clientAuthentication: clientSecretPost(secret)}),
			'the secret in the body, as JSON': secret => ({clientAuthentication: clientSecretPost(secret), encoding: 'json'}),
			'a way of its own': secret => ({
				clientAuthentication: ({parameters}) => parameters.set('client_assertion', secret),
			}),
			'the secret in the grant': secret => ({grant: {...grant, client_secret: secret}}),
		} satisfies Record<string, (secret: string) => Partial<AuthOptions>>).flatMap(([way, options]) =>
			Object.entries({
				'a page': page(500),
				'a login page': page(200),
				'an echo': json({error: 'invalid_client', error_description: '<body> <authorization>'}, {status: 401}),
				'an echo for an error': json({error: '<authorization>'}, {status: 400}),
				'an echo for a type': {headers: [['content-type', '<authorization>']], body: '<body>'},
				'an echo for a challenge': bearer('Basic realm="<authorization>"'),
				'a redirect': redirect(302, '<elsewhere>?<authorization>'),
				'a token that is none': token({access_token: '<authorization> €'}),
				'a reset': {fault: 'reset'},
			} satisfies Record<string, Staged>).map(([title, staged]): Case => ({
				title: `${way}: ${title}`,
				script: {token: {untilMended: staged}},
				async act({auth, get, plant}) {
					const secret = plant('c4nary-secret:%/+ of the client');
					plant(btoa(`app:${secret}`));
					plant(new URLSearchParams({'': secret}).toString().slice(1));
					plant(encodeURIComponent(secret));
					plant(btoa(`app:${new URLSearchParams({'': secret}).toString().slice(1)}`));
					const failing = auth({grant, ...options(secret), allowSecretInBrowser: true});
					return ['error' in (await get(failing.getToken()))];
				},
				expected: {gets: [true], grants: 1, session: 'none', events: uncounted},
			})),
		),
	),
	fault(
		'F-113',
		'the server repeats a token',
		Object.entries({
			'in error_description': {error: 'invalid_request', error_description: 'Not <sent>, try <useless>'},
			'in error_uri': {error: 'invalid_request', error_uri: 'https://as.example/?token=<sent>'},
			'in error': {error: '<sent>'},
			'in all, beside new ones': {
				error: 'invalid_request',
				error_description: '<sent>',
				error_uri: '<useless>',
				refresh_token: '<useless>',
			},
		}).map(([title, body]): Case => ({
			title: `${title}: masked, and not in the message`,
			script: {token: [json(body, {status: 400})]},
			async act({signIn, auth, get, room}) {
				await signIn();
				const outcome = await get(auth().refresh());
				const {message} = Object('error' in outcome && outcome.error) as Error;
				return [nameOfKind('error' in outcome && outcome.error), message.includes(room.refresh_token.slice(0, 8))];
			},
			expected: {gets: ['OAuthError', false], grants: 1, events: ['refresh-failed oauth_error']},
		})),
	),
	fault(
		'F-114',
		'a field of a token does not pass',
		Object.entries({
			refresh_token: token({refresh_token: ['<useless>']}),
			'refresh_token with a line break': token({refresh_token: '<useless>\n'}),
			scope: token({scope: {a: '<useless>'}}),
			access_token: token({access_token: {a: '<useless>'}}),
			token_type: token({access_token: '<useless>', token_type: ['<useless>']}),
		}).map(([field, staged]): Case => ({
			title: `${field}: its name and what is expected, and no value`,
			script: {token: [staged]},
			async act({signIn, auth, get}) {
				await signIn();
				const outcome = await get(auth().refresh());
				const {message} = Object('error' in outcome && outcome.error) as Error;
				return [outcome, message.includes(field.split(' ')[0] ?? field)];
			},
			expected: {gets: [invalid, true], grants: 1, events: ['refresh-failed invalid_response']},
		})),
	),
	fault(
		'F-115',
		'a token unfit for a header is given by the caller',
		['\r\nx-evil: 1', '€', ' ', '\0'].map((tail): Case => ({
			title: `${JSON.stringify(tail)} at its end never comes near one`,
			async act(world) {
				const {auth, get, room} = world;
				const {access_token} = room;
				const calling = auth();
				const kept = await get(calling.setToken({...loginOf(world), access_token: access_token + tail}));
				return [kept, await get(calling.fetch(`${room.api}me`))];
			},
			expected: {gets: ['ConfigError invalid_options', 401], calls: ['none 401'], session: 'none'},
		})),
	),
	fault(
		'F-116',
		'an endpoint with a password in its URL',
		['tokenEndpoint', 'revocationEndpoint'].map((option): Case => ({
			title: `${option} is refused before anything is sent`,
			async act({auth, get, room, plant}) {
				const secret = plant('p4ssw0rd-of-a-user');
				const url = room.tokenEndpoint.replace('//', `//user:${secret}@`);
				return [
					await get((async () => auth({[option]: url}))()),
					await get((async () => auth({[option]: `${url}#x`}))()),
				];
			},
			expected: {gets: times(2, () => 'ConfigError invalid_options'), session: 'none'},
		})),
	),
	fault(
		'F-117',
		'an endpoint with a secret in its query',
		Object.entries({
			'is not reached': ({nowhere}) => nowhere,
			'is not the server of a name': () => 'https://regrant.invalid/token',
		} satisfies Record<string, (room: {readonly nowhere: string}) => string>).map(([title, url]): Case => ({
			title: `${title}: the secret is in no error`,
			async act({auth, get, room, plant, signIn}) {
				const secret = plant('s3cret-of-the-query');
				await signIn();
				return [await get(auth(sentTo(`${url(room)}?key=${secret}`)).refresh())];
			},
			expected: {gets: [`${network}, retryable`], events: ['refresh-failed network']},
		})),
	),
	fault('F-118', 'an Auth is printed, cloned and serialised', {
		title: 'no secret',
		async act({signIn, auth, ky, see, plant}) {
			const secret = plant('c4nary-secret-of-a-client');
			await signIn();
			const shown = auth({clientAuthentication: clientSecretBasic(secret), allowSecretInBrowser: true});
			see([shown, shown.hooks, ky(), Object.entries(shown)]);
			const clone = (async () => structuredClone(shown))();
			return [
				JSON.stringify(shown),
				await clone.then(
					() => 'a clone',
					() => 'no clone',
				),
			];
		},
		expected: {gets: ['{"hooks":{"init":[null]},"status":"signed-in"}', 'no clone']},
	}),

	// From the contract, and from the API that regrant was born from.
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
				const {access_token} = (await held()) as {readonly access_token: string}; // as memory gives it
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
				const init = {method: 'POST', body, duplex: 'half'} as RequestInit; // the DOM's types do not know duplex
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
					has = (input as Request).headers.has('authorization'); // regrant gives a Request
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
				'a holder that is stopped for longer than its lock overwrites nothing, and sends nothing that was not on its way (seed ${seed}) [F-135]',
		},
		{
			file: 'test/stores/deno-kv.test.ts',
			title: 'lose the session only where one died between the rotation and its write [F-98, F-135]',
		},
	),
];
