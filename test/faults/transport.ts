// Faults of the network and of HTTP, between regrant and the token endpoint.
import {typed, after, type Fault, fault, json, page, token} from './case.ts';
import {detours, forNow, readings, redirects, refused, renewals, sentTo, unreached} from './renewal-cases.ts';
import {times, text, deadline, hidden, network, timeout, unexpected, all} from './words.ts';

/** Formats a date as RFC 850 does. The next function formats it as C's `asctime` does. */
const dateOf850 = (time: number): string => {
	const [day = '', date, month, year = '', clock] = new Date(time).toUTCString().split(/,? /);
	const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
	return `${days.find(name => name.startsWith(day))}, ${date}-${month}-${year.slice(2)} ${clock} GMT`;
};
const dateOfC = (time: number): string => {
	const [day, date = '', month, year, clock] = new Date(time).toUTCString().split(/,? /);
	return `${day} ${month} ${date.replace(/^0/, ' ')} ${clock} ${year}`;
};

export const transportFaults: readonly Fault[] = [
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
		renewals(forNow(timeout), {'nothing comes': {fault: 'hang'}}, {broken: () => ({timeout: deadline})}),
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
			{broken: () => ({timeout: deadline})},
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
				const sleeping = get(auth({timeout: deadline}).refresh());
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
];
