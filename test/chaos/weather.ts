import {setTimeout as sleep} from 'node:timers/promises';
import type {AuthorizationServer, EndpointRequest, TokenResponse} from '../support/authorization-server.ts';
import type {Reply} from '../support/serve.ts';
import {count, type Counts} from './counts.ts';
import {excuses, type Ledger} from './ledger.ts';
import {draw, type Random} from './random.ts';

/** The network between clients and servers: it delays requests, answers in their place, and loses answers. */
export interface Weather {
	/** Lets everything through from now on, or no longer. */
	calm(isCalm: boolean): void;
	/** What it has done, by name. */
	readonly faults: Readonly<Counts>;
}

/** What makes the weather. */
export interface WeatherOptions {
	readonly random: Random;
	readonly ledger: Ledger;
	/** The deadline of a token request, in milliseconds. */
	readonly timeout: number;
	/** Without any of it: the ledger alone is kept. */
	readonly isFair?: boolean;
	/** Whether clients' clocks jump. Where they do not, nobody is told to wait for minutes. */
	readonly clocksJump?: boolean;
	/** Whether access tokens end while they are used. */
	readonly endsTokens?: boolean;
}

// Shares of a thousand.
const beforeToken = {
	'reset before the server': 20,
	'503': 20,
	'503 with Retry-After': 10,
	'429 with Retry-After': 15,
	'500 with HTML': 10,
	'never forwarded': 2,
	'delayed on its way': 150,
} as const;
const afterToken = {
	'answer reset': 3,
	'answer replaced by 502': 3,
	'answer broken off': 3,
	'answer after the deadline': 1,
	'answer delayed': 150,
} as const;
const beforeCall = {
	'call reset': 10,
	'call answered 503': 10,
	'call answered 429': 10,
	'call delayed': 100,
} as const;

/** An answer that comes so close to the deadline may be too late: the client's clock began before. */
const late = 0.5;
const longestDelay = 60;

const html: Headers = [['content-type', 'text/html']];

type Headers = ReadonlyArray<readonly [name: string, value: string]>;

/** Which refresh token came, from whom, and when the client began to wait. */
interface Sent {
	readonly token: string;
	readonly holder: string;
	readonly at: number;
}

const arrivals = new WeakMap<EndpointRequest, number>();

function readSent(request: EndpointRequest): Sent {
	const {parameters, headers} = request;
	const arrived = arrivals.get(request) ?? Date.now();
	arrivals.set(request, arrived);
	return {
		token: parameters.get('refresh_token') ?? '',
		holder: headers['x-holder'] ?? '',
		at: Number(headers['x-sent'] ?? arrived),
	};
}

/** Makes the weather of a server, and keeps its ledger. */
export function brew(
	server: AuthorizationServer,
	{random, ledger, timeout, isFair = false, clocksJump = false, endsTokens = false}: WeatherOptions,
): Weather {
	const faults: Counts = {};
	const callShares = {...beforeCall, 'access token ended': endsTokens ? 150 : 0};
	let isCalm = isFair;
	const fall = <Name extends string>(shares: Readonly<Record<Name, number>>): Name | undefined => {
		const fault = isCalm ? undefined : draw(random, shares);
		if (fault) count(faults, fault);
		return fault;
	};
	const retryAfter = (): Headers => {
		const longest = clocksJump ? 120 : 1;
		return [['retry-after', String(Math.ceil(random() * longest))]];
	};
	const isLate = ({at}: Sent): boolean => Date.now() - at > timeout * late;

	server.onToken(async (request): Promise<Reply | undefined> => {
		const sent = readSent(request);
		switch (fall(beforeToken)) {
			case 'reset before the server':
				return {reset: true};
			case '503':
				return {status: 503};
			case '503 with Retry-After':
				return {status: 503, headers: retryAfter()};
			case '429 with Retry-After':
				return {status: 429, headers: retryAfter()};
			case '500 with HTML':
				return {status: 500, headers: html, body: '<h1>Sorry</h1>'};
			case 'never forwarded':
				await sleep(timeout * 1.2);
				return {reset: true};
			case 'delayed on its way':
				await sleep(random() * longestDelay);
				break;
			case undefined:
		}
		if (!isFair && isLate(sent)) {
			// The client may have sent it again by now: what is late must not overtake that.
			count(faults, 'too late to be forwarded');
			return {reset: true};
		}
		ledger.spend(sent.token, sent);
		return undefined;
	});

	server.onTokenAnswer(async (request, {status, body}) => {
		const sent = readSent(request);
		const isRotated = status === 200;
		if (isRotated) ledger.rotate(sent.token, body as TokenResponse); // of a 200
		const fault = fall(afterToken);
		let lost: Reply | undefined;
		switch (fault) {
			case 'answer reset':
				lost = {reset: true};
				break;
			case 'answer replaced by 502':
				lost = {status: 502, headers: html, body: '<h1>Bad gateway</h1>'};
				break;
			case 'answer broken off':
				lost = {headers: [['content-type', 'application/json']], body: brokenOff(JSON.stringify(body))};
				break;
			case 'answer after the deadline':
				// Before the client may send it again.
				ledger.excuse(sent.token, excuses.lost);
				await sleep(timeout * 1.2);
				lost = {reset: true};
				break;
			case 'answer delayed':
				await sleep(random() * longestDelay);
				break;
			case undefined:
		}
		if (lost) ledger.excuse(sent.token, excuses.lost);
		else if (isLate(sent)) ledger.excuse(sent.token, excuses.late);
		else if (!isRotated) ledger.refuse(sent.token, sent);
		return lost;
	});

	server.onCall(async ({authorization = ''}): Promise<Reply | undefined> => {
		const token = authorization.replace('Bearer ', '');
		const isSeen = ledger.isSeen(token);
		if (token) ledger.see(token);
		switch (fall(callShares)) {
			case 'access token ended':
				// Where that meets one that was just renewed, its holder does not renew it again for a minute.
				if (isSeen) await server.expire(token).catch(() => {});
				break;
			case 'call reset':
				return {reset: true};
			case 'call answered 503':
				return {status: 503};
			case 'call answered 429':
				return {status: 429};
			case 'call delayed':
				await sleep(random() * longestDelay);
				break;
			case undefined:
		}
		return undefined;
	});

	return {
		calm: next => {
			isCalm = next;
		},
		faults,
	};
}

/** The first half of a text, and then the end of the connection. */
function brokenOff(text: string): ReadableStream<Uint8Array> {
	const half = new TextEncoder().encode(text.slice(0, text.length / 2));
	let isSent = false;
	return new ReadableStream({
		pull: async controller => {
			if (!isSent) controller.enqueue(half);
			else {
				// So that the half is on its way.
				await sleep(5);
				controller.error(new Error('broken off'));
			}
			isSent = true;
		},
	});
}
