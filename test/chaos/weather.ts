import {setTimeout as sleep} from 'node:timers/promises';
import type {AuthorizationServer, EndpointRequest, TokenResponse} from '../support/authorization-server.ts';
import type {Reply} from '../support/serve.ts';
import {count, type Counts} from './counts.ts';
import {excuses, type Ledger} from './ledger.ts';
import {draw, type Random} from './random.ts';

/** Injects faults between clients and servers: it delays requests, answers in place of the server, and loses responses. */
export interface Weather {
	/** With true, no more faults are injected. With false, injecting starts again. */
	calm(isCalm: boolean): void;
	/** How often each fault was injected, by name. */
	readonly faults: Readonly<Counts>;
}

/** Options of the injected faults. */
export interface WeatherOptions {
	readonly random: Random;
	readonly ledger: Ledger;
	/** The deadline of a token request, in milliseconds. */
	readonly timeout: number;
	/** Injects no faults, and only keeps the ledger. */
	readonly isFair?: boolean;
	/** True if the clients' clocks jump. If not, no response asks a client to wait for minutes. */
	readonly clocksJump?: boolean;
	/** Makes the API reject access tokens while they are in use. */
	readonly endsTokens?: boolean;
}

// The probabilities of the faults, in shares of a thousand.
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

/** The share of the deadline after which a response may arrive too late. The client started its clock earlier than the server. */
const late = 0.5;
const longestDelay = 60;

const html: Headers = [['content-type', 'text/html']];

type Headers = ReadonlyArray<readonly [name: string, value: string]>;

/** The refresh token of a request, its sender, and when the client began to wait. */
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

/** Creates the injected faults for a server, and keeps its ledger. */
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
			// The client may have sent the token again by now, so this old request must not arrive first.
			count(faults, 'too late to be forwarded');
			return {reset: true};
		}
		ledger.spend(sent.token, sent);
		return undefined;
	});

	server.onTokenAnswer(async (request, {status, body}) => {
		const sent = readSent(request);
		const isRotated = status === 200;
		if (isRotated) ledger.rotate(sent.token, body as TokenResponse); // a 200 has a token response
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
				// Recorded before the response is lost, because the client may send the token again at once.
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
				// If the API rejected a token that was only just renewed, its holder would not renew it again for a minute. So only a token
				// that was used before is expired.
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

/** Sends the first half of a text and then breaks the connection. */
function brokenOff(text: string): ReadableStream<Uint8Array> {
	const half = new TextEncoder().encode(text.slice(0, text.length / 2));
	let isSent = false;
	return new ReadableStream({
		pull: async controller => {
			if (!isSent) controller.enqueue(half);
			else {
				// Waits until the first half has been sent.
				await sleep(5);
				controller.error(new Error('broken off'));
			}
			isSent = true;
		},
	});
}
