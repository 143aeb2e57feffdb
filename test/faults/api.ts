// Faults of the API.
import bareKy from 'ky';
import {
	asBare,
	calls,
	challenges,
	fakeApi,
	impatience,
	kindOf,
	renewed,
	retries,
	tally,
	untouched,
	ways,
} from './call-cases.ts';
import {after, bearer, type Case, type Fault, fault, page, redirect, uncounted} from './case.ts';
import type {Staged} from './room.ts';
import type {World} from './world.ts';
import {text, deadline, hidden, timeout, times, all} from './words.ts';

/** 100,000 bytes, among them every possible byte. */
const allBytes = (): Uint8Array<ArrayBuffer> => Uint8Array.from({length: 100_000}, (_, index) => index % 256);

export const apiFaults: readonly Fault[] = [
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
			// How many calls get a 401 first depends on how many requests the platform sends at the same time.
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
			const init = {method: 'POST', body, duplex: 'half'} as RequestInit; // the DOM's types lack `duplex`
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
			// In these runtimes, copying a request leaves its body readable, so it can be sent twice.
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
				// Some platforms refuse a URL that contains a user name.
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
					has = (input as Request).headers.has('authorization'); // regrant passes a Request
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
	fault('F-76', 'timeout of ky, shorter than the refresh', impatience({timeout: 2000})),
	fault('F-77', 'totalTimeout of ky, shorter than the refresh', impatience({totalTimeout: 2000, timeout: false})),
	fault('F-78', 'timeout: false, and the token endpoint hangs', {
		title: 'our own deadline ends it',
		script: {token: [{fault: 'hang'}]},
		async act({signIn, ky, get, advance}) {
			await signIn('over');
			const late = await get(ky({timeout: false}, {timeout: deadline}).get('me'));
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
			// The platform drops the `Authorization` header.
			expected: {gets: [0], calls: ['none 401']},
			except: [[/^(?:Node|Deno|Bun|workerd|happy-dom)/, 'it has no CORS, and so no mode']],
		},
		{
			title: '407 with invalid_token causes no grant',
			async act({signIn, ky, get}) {
				await signIn();
				const headers = {'www-authenticate': 'Bearer error="invalid_token"'};
				// The answer is made in memory, because most platforms turn a 407 from the network into a network error.
				return [await get(ky({fetch: async () => new Response(null, {status: 407, headers})}).get('me'))];
			},
			expected: {gets: [407]},
		},
		asBare('407', after(407)),
	),
];
