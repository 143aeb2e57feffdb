import {isRegrantError, LoginError, type OAuthError, type RegrantError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {aFunction, isText, readInsecureOrigins, readOptions} from '../lib/read-options.ts';
import {secureUrl} from '../lib/secure-url.ts';
import {type Waiter, withTimeout} from '../lib/with-timeout.ts';
import {errorResponse} from '../oauth/error-response.ts';
import {prepare} from '../oauth/prepared-request.ts';
import {sendTokenRequest} from '../oauth/token-endpoint.ts';
import type {TokenSet} from '../token/token-set.ts';
import {type CheckedLogin, type LoginClient, readLogin} from './login-options.ts';

/** Options of `deviceLogin`: an authorization server, and a client of it. */
export interface DeviceLoginOptions extends LoginClient {
	/**
	The URL at which the login begins. It is required. `discover()` returns it if the server has one.

	@default none
	@see https://www.rfc-editor.org/rfc/rfc8628#section-3.1
	*/
	readonly deviceAuthorizationEndpoint?: string | URL | undefined;
}

/**
What the user has to see.

@see https://www.rfc-editor.org/rfc/rfc8628#section-3.2
*/
export interface DevicePrompt {
	/** The code that the user enters. Printable ASCII, so that a terminal may show it. */
	readonly user_code: string;
	/** The page on which the user enters the code. */
	readonly verification_uri: string;
	/** The same page with the code in its URL, for a link or a QR code. Left out if the server sends none. */
	readonly verification_uri_complete?: string;
	/** How many seconds the code can be used. */
	readonly expires_in: number;
}

/** What the user sees, and how the device polls. */
interface Device extends DevicePrompt {
	readonly device_code: string;
	/** Seconds between two requests. */
	readonly interval: number;
}

/** The outcome of one request. */
type PollOutcome =
	| {
			readonly token: TokenSet;
			readonly error?: undefined;
			readonly code?: undefined;
	  }
	| {
			readonly token?: undefined;
			readonly error: RegrantError;
			readonly code?: string;
	  };

/** Longer than any login, and within the limit of a timer: 2 ** 31 milliseconds. */
const forever = 2 ** 30;
/** The longest pause between two requests while the server cannot be reached, in milliseconds. */
const longestPause = 60_000;

/**
Logs a user in on a device without a browser, such as a terminal. The user opens a page of the server on any other device, and enters a
code.

@param prompt Required. Shows the code. It runs once, and its promise is awaited.
@param waiter.signal Stops the login.
@returns The token for `auth.setToken`, once the user has agreed.
@throws {ConfigError} which names an option that is missing, not known or not usable.
@throws {LoginError} if nobody entered the code in time, or if the server sent no usable code. Begin another login.
@throws {OAuthError} if the server, or the user, refuses. `access_denied`: the user said no.
@throws {TokenNetworkError} if the login cannot begin. Later, a lost connection only delays it.
@example
```ts
const token = await deviceLogin({...server, clientId: 'cli', scope: 'accounts'}, ({user_code, verification_uri}) =>
	console.log(`Open ${verification_uri} and enter ${user_code}`),
);
await auth.setToken(token);
```
@see https://www.rfc-editor.org/rfc/rfc8628
*/
export async function deviceLogin(
	options: DeviceLoginOptions,
	prompt: (device: DevicePrompt) => Awaitable<void>,
	waiter?: Waiter,
): Promise<TokenSet> {
	const login = readLogin(options, ['deviceAuthorizationEndpoint']);
	readOptions({prompt}, {prompt: aFunction}, ['prompt']);
	waiter?.signal?.throwIfAborted();
	// Taken before the request, so that a slow answer makes the code expire early, and never late.
	const started = performance.now();
	const {device_code, interval, ...shown} = await beginLogin(login, waiter);
	const due = started + shown.expires_in * 1000;
	await withTimeout(() => prompt(shown), forever, undefined, waiter);
	const {resource, scope} = login.parameters;
	const request = {
		grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
		device_code,
		resource,
	} as const;
	const send = async (): Promise<PollOutcome> => {
		try {
			// RFC 6749 §5.1: a response without a scope grants the requested one.
			const known = {scope} as TokenSet; // only its scope is read
			return await sendTokenRequest(login, await prepare(login, 'tokenEndpoint', request), known);
		} catch (error) {
			if (isRegrantError(error)) return {error};
			throw error;
		}
	};
	return {...(await poll(send, interval, due, waiter))};
}

/** Requests a code. */
async function beginLogin(
	login: CheckedLogin<DeviceLoginOptions, 'deviceAuthorizationEndpoint'>,
	waiter: Waiter | undefined,
): Promise<Device> {
	const option = 'deviceAuthorizationEndpoint';
	const insecureOrigins = readInsecureOrigins(login);
	const prepared = await prepare(login, option, login.parameters);
	const exchange = await withTimeout(() => prepared.send(), forever, undefined, waiter);
	const {error} = ownProperties(errorResponse(login, exchange));
	if (error) throw error;
	const answer = ownProperties(exchange.record);
	const {device_code, user_code, expires_in, interval, verification_uri_complete} = answer;
	// Google has another name for it.
	const page = secureUrl(answer['verification_uri'] ?? answer['verification_url'], insecureOrigins);
	const complete = secureUrl(verification_uri_complete, insecureOrigins);
	// A terminal must only get printable characters.
	if (!isText(device_code) || !isText(user_code) || !page) {
		throw new LoginError(`${exchange.request} answered without a usable code: is ${option} right?`);
	}
	return {
		device_code,
		interval: secondsOr(5, interval),
		user_code,
		verification_uri: page.href,
		...(complete && {verification_uri_complete: complete.href}),
		expires_in: secondsOr(600, expires_in),
	};
}

/** A server may leave out a number, or send it as text. A timer takes no more than `forever`: beyond it, requests would not pause. */
const secondsOr = (otherwise: number, value: unknown): number =>
	Number(value) >= 1 ? Math.min(Number(value), forever / 1000) : otherwise;

/**
Sends one request after another until there is a token.

@param interval Seconds between two requests.
@param due When the code expires, by `performance.now()`.
@see https://www.rfc-editor.org/rfc/rfc8628#section-3.5
*/
async function poll(
	send: () => Promise<PollOutcome>,
	interval: number,
	due: number,
	waiter: Waiter | undefined,
): Promise<TokenSet> {
	let regular = interval * 1000;
	let pause = regular;
	for (;;) {
		await sleep(Math.max(0, Math.min(pause, due - performance.now())), waiter);
		if (performance.now() >= due) break;
		const {token, error, code} = ownProperties(await withTimeout(send, forever, undefined, waiter));
		if (token) return token;
		if (code === 'expired_token') break;
		if (code === 'slow_down') regular += 5000;
		if (code === 'slow_down' || code === 'authorization_pending') pause = regular;
		else if (error.retryable) {
			// The device is offline, or the server is down: the pause gets longer each time, and is longer than the regular one.
			pause = Math.max(
				Math.min(2 * pause, Math.max(longestPause, 2 * regular)),
				ownProperties(error as OAuthError).retryAfter ?? 0,
			);
		} else throw error;
	}
	throw new LoginError('Nobody entered the code in time: begin another login');
}

/** Resolves after a number of milliseconds. Unlike the deadline of a request, this timer keeps a process alive. */
async function sleep(milliseconds: number, waiter: Waiter | undefined): Promise<void> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const work = (): Promise<void> => new Promise(resolve => void (timer = setTimeout(resolve, milliseconds)));
	try {
		await withTimeout(work, forever, undefined, waiter);
	} finally {
		clearTimeout(timer);
	}
}
