import {beforeEach, afterEach, describe, expect, vi} from 'vitest';
import {clientSecretBasic, isRegrantError} from '../../src/index.ts';
import {type DeviceLoginOptions, deviceLogin, type DevicePrompt} from '../../src/login/login.ts';
import {test} from '../support/test.ts';

const place = {
	tokenEndpoint: 'https://as.example/token',
	deviceAuthorizationEndpoint: 'https://as.example/device',
	clientId: 'cli',
};

const device = {
	device_code: 'device-code-of-ann',
	user_code: 'WDJB-MJHT',
	verification_uri: 'https://as.example/activate',
	verification_uri_complete: 'https://as.example/activate?user_code=WDJB-MJHT',
	expires_in: 600,
	interval: 5,
};

const pending = {error: 'authorization_pending'};
const token = {access_token: 'access-token-of-ann', token_type: 'Bearer'};

/** A request to the fake server, and its time. */
interface Asked {
	readonly path: string;
	readonly body: URLSearchParams;
	/** Seconds since the login began. */
	readonly at: number;
}

/** A device login at a fake server. */
interface Attempt {
	readonly asked: Asked[];
	readonly prompts: DevicePrompt[];
	/** The token, or the error. */
	readonly outcome: Promise<unknown>;
}

/** Begins a device login. The server gives these answers in order, and repeats the last one. */
function begin(
	answers: readonly unknown[],
	options: Partial<DeviceLoginOptions> = {},
	first: unknown = device,
	signal?: AbortSignal,
): Attempt {
	const started = performance.now();
	const asked: Asked[] = [];
	const prompts: DevicePrompt[] = [];
	const fakeFetch: typeof fetch = async (url, init) => {
		const {pathname: path} = new URL(url as string);
		asked.push({path, body: new URLSearchParams(init?.body as string), at: (performance.now() - started) / 1000});
		const answer = path === '/device' ? first : (answers[asked.length - 2] ?? answers.at(-1));
		if (answer instanceof Error) throw answer;
		if (answer instanceof Response) return answer.clone();
		return Response.json(answer, {status: Object.hasOwn(Object(answer) as object, 'error') ? 400 : 200});
	};
	const outcome = deviceLogin({...place, fetch: fakeFetch, ...options}, prompt => void prompts.push(prompt), {signal});
	return {asked, prompts, outcome: outcome.catch((error: unknown) => error)};
}

/** The times of all requests to the token endpoint: seconds since the login began. */
const times = ({asked}: Attempt): number[] => asked.filter(({path}) => path === '/token').map(({at}) => Math.round(at));

/** The same times, once the login has ended. */
async function timesOf(attempt: Attempt): Promise<number[]> {
	await vi.runAllTimersAsync();
	await attempt.outcome;
	return times(attempt);
}

beforeEach(() => void vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']}));
afterEach(() => void vi.useRealTimers());

describe('deviceLogin', () => {
	test('deviceLogin shows the code, and gives the token once the user has agreed', async () => {
		const attempt = begin([pending, pending, token], {scope: 'accounts', parameters: {audience: 'a'}});
		expect(await timesOf(attempt)).toEqual([5, 10, 15]);
		expect(await attempt.outcome).toMatchObject({...token, scope: 'accounts'});
		const {device_code, interval: _, ...shown} = device;
		expect(attempt.prompts).toEqual([shown]);
		expect(attempt.asked.slice(0, 2).map(({body}) => Object.fromEntries(body))).toEqual([
			{client_id: 'cli', scope: 'accounts', audience: 'a'},
			{client_id: 'cli', grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code},
		]);
	});

	test('deviceLogin keeps the ID token, and further fields that the option keep names', async () => {
		const attempt = begin([{...token, id_token: 'i.d.t', tenant: 'a', other: 1}], {keep: ['tenant']});
		await timesOf(attempt);
		expect(await attempt.outcome).toMatchObject({id_token: 'i.d.t', tenant: 'a'});
		expect(await attempt.outcome).not.toHaveProperty('other');
	});

	test('deviceLogin names a resource at both endpoints [R109]', async () => {
		const attempt = begin([token], {parameters: {resource: ['https://a.example', 'urn:b']}});
		await timesOf(attempt);
		expect(attempt.asked.map(({body}) => body.getAll('resource'))).toEqual([
			['https://a.example', 'urn:b'],
			['https://a.example', 'urn:b'],
		]);
	});

	test('deviceLogin proves the client for every request', async () => {
		let proofs = 0;
		const headers: (string | null)[] = [];
		const attempt = begin([token], {
			clientAuthentication(context) {
				context.headers.set('authorization', `Basic ${proofs++}`);
				headers.push(context.headers.get('authorization'));
			},
		});
		await timesOf(attempt);
		expect(headers).toEqual(['Basic 0', 'Basic 1']);
	});

	test('deviceLogin says which client authentication the server takes, if it does not take this one', async () => {
		const metadata = {token_endpoint_auth_methods_supported: ['client_secret_post']};
		const refusal = Response.json({error: 'invalid_client'}, {status: 401});
		for (const [first, answer] of [
			[refusal, token],
			[device, refusal],
		]) {
			const attempt = begin([answer], {metadata}, first);
			await timesOf(attempt);
			expect(await attempt.outcome).toMatchObject({
				error: 'invalid_client',
				message: 'POST https://as.example answered 401: invalid_client. The server takes client_secret_post',
			});
		}
	});

	test('deviceLogin waits for a prompt that takes its time before it asks for the token', async () => {
		const shown = Promise.withResolvers<void>();
		const fetches: string[] = [];
		const login = deviceLogin(
			{
				...place,
				async fetch(url) {
					fetches.push(new URL(url as string).pathname);
					return Response.json(fetches.length > 1 ? token : device);
				},
			},
			() => shown.promise,
		);
		await vi.advanceTimersByTimeAsync(60_000);
		expect(fetches).toEqual(['/device']);
		shown.resolve();
		await vi.advanceTimersByTimeAsync(5000);
		expect(await login).toMatchObject(token);
	});

	test('deviceLogin rejects with the error of the prompt', async () => {
		const failure = new Error('no terminal');
		const login = deviceLogin({...place, fetch: async () => Response.json(device)}, () => {
			throw failure;
		});
		await expect(login).rejects.toBe(failure);
	});
});

describe('how often it asks', () => {
	test.for([
		[1, 1],
		[30, 30],
		['7', 7],
		[undefined, 5],
		[0, 5],
		[-1, 5],
		['soon', 5],
		[null, 5],
		[{}, 5],
	] as const)('deviceLogin with an interval of %j asks every %i seconds', async ([interval, seconds]) => {
		expect(await timesOf(begin([pending, token], {}, {...device, interval}))).toEqual([seconds, 2 * seconds]);
	});

	test.for([
		[1e9, 1e9],
		[Number.MAX_VALUE, 600],
		[3_000_000, Number.MAX_VALUE],
	] as const)(
		'how often it asks never without a pause: an interval of %d in %d seconds',
		async ([interval, expires_in]) => {
			const attempt = begin([pending, token], {}, {...device, interval, expires_in});
			await vi.advanceTimersByTimeAsync(500_000);
			// `setTimeout` with a delay of more than 2 ** 31 milliseconds would have fired at once.
			expect(times(attempt)).toEqual([]);
			await timesOf(attempt);
		},
	);

	test('deviceLogin waits five seconds longer after each slow_down', async () => {
		const slow = {error: 'slow_down'};
		expect(await timesOf(begin([pending, slow, slow, pending, token]))).toEqual([5, 10, 20, 35, 50]);
	});

	test('deviceLogin asks less and less often while the server cannot be reached, and then as before', async () => {
		const offline = new TypeError('fetch failed');
		const attempt = begin([offline, offline, offline, offline, offline, pending, token]);
		expect(await timesOf(attempt)).toEqual([5, 15, 35, 75, 135, 195, 200]);
		expect(await attempt.outcome).toMatchObject(token);
	});

	test('deviceLogin never asks more often than the interval while the server cannot be reached', async () => {
		const offline = new TypeError('fetch failed');
		const slow = {...device, interval: 90, expires_in: 3000};
		expect(await timesOf(begin([offline, offline, pending, token], {}, slow))).toEqual([90, 270, 450, 540]);
		const slower = begin([{error: 'slow_down'}, offline, pending, token], {}, {...slow, interval: 58});
		expect(await timesOf(slower)).toEqual([58, 121, 247, 310]);
	});

	test.for([
		['a 503', new Response(null, {status: 503})],
		['a page in place of an answer', new Response('<html>', {headers: {'content-type': 'text/html'}})],
		['temporarily_unavailable', {error: 'temporarily_unavailable'}],
	] as const)('deviceLogin goes on after %s', async ([, trouble]) => {
		const attempt = begin([trouble, token]);
		expect(await timesOf(attempt)).toEqual([5, 15]);
		expect(await attempt.outcome).toMatchObject(token);
	});

	test('deviceLogin does not ask before Retry-After', async () => {
		const busy = new Response(null, {status: 429, headers: {'retry-after': '40'}});
		expect(await timesOf(begin([busy, pending, token]))).toEqual([5, 45, 50]);
	});

	test('deviceLogin goes on after an answer that never came', async () => {
		let requests = 0;
		const login = deviceLogin(
			{
				...place,
				timeout: 3000,
				async fetch(url) {
					if ((url as string).endsWith('/device')) return Response.json(device);
					return ++requests > 1 ? Response.json(token) : new Promise<Response>(() => {});
				},
			},
			() => {},
		);
		await vi.runAllTimersAsync();
		expect(await login).toMatchObject(token);
	});
});

describe('it ends', () => {
	const late = {code: 'login_failed', message: 'Nobody entered the code in time: begin another login'};

	test('deviceLogin ends when the code expires by our own clock', async () => {
		const started = performance.now();
		const attempt = begin([pending], {}, {...device, expires_in: 18});
		expect(await timesOf(attempt)).toEqual([5, 10, 15]);
		expect(performance.now() - started).toBe(18_000);
		expect(await attempt.outcome).toMatchObject(late);
	});

	test('deviceLogin ends when the code expires while the server cannot be reached', async () => {
		const attempt = begin([new TypeError('fetch failed')], {}, {...device, expires_in: 60});
		expect(await timesOf(attempt)).toEqual([5, 15, 35]);
		expect(await attempt.outcome).toMatchObject(late);
	});

	test('deviceLogin ends when the code expires during a request, and waits for no negative time', async () => {
		const login = deviceLogin(
			{
				...place,
				async fetch(url) {
					if (url === place.deviceAuthorizationEndpoint) return Response.json({...device, expires_in: 12});
					await new Promise(resolve => void setTimeout(resolve, 8000));
					return Response.json(pending, {status: 400});
				},
			},
			() => {},
		).catch((error: unknown) => error);
		const delays: unknown[] = [];
		const {setTimeout} = globalThis;
		// Not a spy of vitest: that would put the false timers in place of the real ones at the end.
		globalThis.setTimeout = ((callback: () => void, delay: number) => {
			delays.push(delay);
			return setTimeout(callback, delay);
		}) as typeof setTimeout;
		await vi.runAllTimersAsync();
		globalThis.setTimeout = setTimeout;
		expect(await login).toMatchObject(late);
		// Node prints a warning for a negative time.
		expect(delays.filter(delay => (delay as number) < 0)).toEqual([]);
	});

	test('deviceLogin counts the lifetime of the code from its request, also if the prompt takes longer', async () => {
		let requests = 0;
		const login = deviceLogin(
			{
				...place,
				async fetch() {
					if (requests++) return Response.json(pending, {status: 400});
					await new Promise(resolve => void setTimeout(resolve, 2000));
					return Response.json({...device, expires_in: 10});
				},
			},
			async () => new Promise(resolve => void setTimeout(resolve, 7000)),
		).catch((error: unknown) => error);
		const started = performance.now();
		await vi.runAllTimersAsync();
		expect(await login).toMatchObject(late);
		expect([requests, performance.now() - started]).toEqual([1, 10_000]);
	});

	test('deviceLogin counts the lifetime that the server named, whatever the prompt does to it', async () => {
		const login = deviceLogin(
			{...place, fetch: async url => Response.json(url === place.tokenEndpoint ? token : device)},
			shown => void Object.assign(shown, {expires_in: 0}),
		);
		await vi.runAllTimersAsync();
		expect(await login).toMatchObject(token);
	});

	test('deviceLogin ends when the server says that the code has expired', async () => {
		const attempt = begin([pending, {error: 'expired_token'}]);
		expect(await timesOf(attempt)).toEqual([5, 10]);
		expect(await attempt.outcome).toMatchObject(late);
	});

	test('deviceLogin ends after ten minutes if the server names no lifetime', async () => {
		const attempt = begin([pending], {}, {...device, expires_in: undefined, interval: 100});
		expect(await timesOf(attempt)).toEqual([100, 200, 300, 400, 500]);
	});

	test.for([['access_denied'], ['invalid_client'], ['invalid_grant']] as const)(
		'deviceLogin ends when the server says %s',
		async ([error]) => {
			const attempt = begin([pending, {error, error_description: 'no'}]);
			expect(await timesOf(attempt)).toEqual([5, 10]);
			expect(await attempt.outcome).toMatchObject({code: 'oauth_error', error, error_description: 'no', status: 400});
		},
	);

	test('deviceLogin ends when an answer holds no token', async () => {
		const attempt = begin([{token_type: 'Bearer'}]);
		await timesOf(attempt);
		expect(await attempt.outcome).toMatchObject({code: 'invalid_response'});
	});

	test('it ends before anything is sent, if the signal is aborted already', async () => {
		const reason = new Error('Ann has left');
		const attempt = begin([token], {}, device, AbortSignal.abort(reason));
		expect(await attempt.outcome).toBe(reason);
		expect(attempt.asked).toEqual([]);
		expect(attempt.prompts).toEqual([]);
	});

	test.for([
		['before it begins', 0, []],
		['while it waits', 7, [5]],
	] as const)(
		'deviceLogin ends at once with the reason of its signal if that is aborted %s',
		async ([, seconds, asked]) => {
			const controller = new AbortController();
			const reason = new Error('Ann has left');
			if (seconds === 0) controller.abort(reason);
			const attempt = begin([pending], {}, device, controller.signal);
			await vi.advanceTimersByTimeAsync(seconds * 1000);
			controller.abort(reason);
			expect(await attempt.outcome).toBe(reason);
			// A timer that is left would keep a command-line tool running.
			expect(vi.getTimerCount()).toBe(0);
			await vi.advanceTimersByTimeAsync(60_000);
			expect(times(attempt)).toEqual(asked);
		},
	);

	test('deviceLogin ends at once if its signal is aborted during a request', async () => {
		const controller = new AbortController();
		const reason = new Error('Ann has left');
		const login = deviceLogin(
			{
				...place,
				fetch: async url =>
					(url as string).endsWith('/device') ? Response.json(device) : new Promise<Response>(() => {}),
			},
			() => {},
			{signal: controller.signal},
		).catch((error: unknown) => error);
		await vi.advanceTimersByTimeAsync(6000);
		controller.abort(reason);
		expect(await login).toBe(reason);
	});
});

describe('an answer without a usable code', () => {
	test.for([
		['no device code', {device_code: undefined}],
		['a device code that is no text', {device_code: 42}],
		['no user code', {user_code: ''}],
		['a user code that a terminal would obey', {user_code: '\u001b]0;owned\u0007'}],
		['a user code of two lines', {user_code: 'WDJB\nenter it at evil.example'}],
		['no page', {verification_uri: undefined}],
		['a page without https', {verification_uri: 'http://as.example/activate'}],
		['a page that is a script', {verification_uri: 'javascript:alert(1)'}],
		['a page that is no text', {verification_uri: ['https://as.example']}],
	] as const)('a device answer with %s is refused', async ([, change]) => {
		const attempt = begin([token], {}, {...device, ...change});
		expect(await attempt.outcome).toMatchObject({
			code: 'login_failed',
			message: 'POST https://as.example answered without a usable code: is deviceAuthorizationEndpoint right?',
		});
		expect(attempt.prompts).toEqual([]);
	});

	test('a device answer may name the page as Google does, and control characters in it are escaped', async () => {
		const {verification_uri: _, ...google} = device;
		const attempt = begin(
			[token],
			{},
			{
				...google,
				verification_url: 'https://as.example/\u001b[2J',
				verification_uri_complete: 'http://as.example',
			},
		);
		await timesOf(attempt);
		expect(attempt.prompts).toEqual([
			{user_code: device.user_code, verification_uri: 'https://as.example/%1B[2J', expires_in: 600},
		]);
	});

	test.for([
		['an error of OAuth', Response.json({error: 'unauthorized_client'}, {status: 400}), {error: 'unauthorized_client'}],
		[
			'a 404',
			new Response(null, {status: 404}),
			{message: 'POST https://as.example answered 404: is deviceAuthorizationEndpoint right?'},
		],
		['a page', new Response('<html>', {headers: {'content-type': 'text/html'}}), {code: 'not_json'}],
		['no connection', new TypeError('fetch failed'), {code: 'network', retryable: true}],
	] as const)('a device answer that is %s is reported', async ([, first, expected]) => {
		expect(await begin([token], {}, first).outcome).toMatchObject(expected);
	});
});

describe('deviceLogin refuses', () => {
	test.for([
		[undefined, 'prompt is required: a function'],
		['console.log', 'prompt must be a function'],
		[null, 'prompt must be a function'],
	] as const)('deviceLogin refuses the prompt %j before it sends anything', async ([prompt, message]) => {
		const fetch = vi.fn<typeof globalThis.fetch>();
		const login = deviceLogin({...place, fetch}, prompt as unknown as () => void);
		await expect(login).rejects.toMatchObject({code: 'invalid_options', message});
		expect(fetch).not.toHaveBeenCalled();
	});

	test.for([
		[{deviceAuthorizationEndpoint: undefined}, 'deviceAuthorizationEndpoint is required'],
		[{deviceAuthorizationEndpoint: 'http://as.example'}, 'deviceAuthorizationEndpoint must be an https URL'],
		[{clientId: undefined}, 'clientId is required'],
		[{parameters: {client_id: 'x'}}, 'parameters.client_id is set by regrant itself'],
		[{parameters: {response_mode: 'fragment'}}, 'parameters.response_mode is set by regrant itself'],
		[{parameters: {resource: 'x'}}, 'parameters.resource must be absolute URIs'],
		[{redirectUri: 'https://app.example'}, 'redirectUri is not an option'],
		[{storage: {}}, 'storage is not an option'],
	] as const)('deviceLogin refuses %j', async ([change, message]) => {
		const error = await begin([token], change as Partial<DeviceLoginOptions>).outcome;
		expect(isRegrantError(error) && error.code).toBe('invalid_options');
		expect((error as Error).message).toContain(message);
	});
});

test('no error of a device login holds the device code, a token or a secret', async ({canaries}) => {
	for (const secret of [device.device_code, 'secret-of-the-client', 'access-token-of-ann']) canaries.plant(secret);
	const hostile = [
		{error: device.device_code, error_description: `no ${device.device_code}`},
		{error: 'access_denied', error_description: 'secret-of-the-client'},
		{access_token: 'access-token-of-ann', token_type: 'mac'},
		new Error(device.device_code),
		new Response(`${device.device_code} {`, {status: 400}),
	];
	for (const answer of hostile) {
		const options = {clientAuthentication: clientSecretBasic('secret-of-the-client')};
		const attempt = begin([answer], options, {...device, expires_in: 20});
		await vi.runAllTimersAsync();
		expect(isRegrantError(canaries.see(await attempt.outcome))).toBe(true);
	}
});
