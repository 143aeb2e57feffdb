import ky from 'ky';
import {describe, expect} from 'vitest';
import {app} from '../support/authorization-server.ts';
import {createCanaries} from '../support/canaries.ts';
import {interceptConsole} from '../support/console.ts';
import {allowEveryOrigin} from '../support/cors.ts';
import {test} from '../support/test.ts';
import type {Watchable} from '../support/watched-auth.ts';

const secret = 'canary-8fK2mQ-secret';

function scan(value: unknown): () => void {
	const canaries = createCanaries();
	canaries.plant(secret, 'refresh token');
	canaries.see(value);
	return canaries.scan;
}

const hidden = (name: string): Error => Object.defineProperty(new Error('m'), name, {value: secret, enumerable: false});
const nested = (levels: number): Error => new Error('m', {cause: levels === 0 ? secret : nested(levels - 1)});

describe('a scan finds a secret', () => {
	test.each<[place: string, value: unknown]>([
		['a message', new Error(`Bad token ${secret}`)],
		['its first ten characters', new Error(`Unexpected token, "${secret.slice(0, 10)}"... is not valid JSON`)],
		['a stack alone', Object.assign(new Error('m'), {stack: `Error: m ${secret}`})],
		['a thrown string', `no ${secret}`],
		['an own property', Object.assign(new Error('m'), {body: secret})],
		['a hidden property', hidden('body')],
		['a property named by a symbol', Object.assign(new Error('m'), {[Symbol('body')]: {text: secret}})],
		['a key', {issues: [{[secret]: true}]}],
		['toJSON', {toJSON: () => ({token: secret})}],
		['toString', {toString: () => secret}],
		['a cause', new Error('m', {cause: new TypeError(secret)})],
		['a cause eight causes deep', nested(8)],
		['an error of an AggregateError', new AggregateError([new Error('m'), new Error('m', {cause: {secret}})])],
		['a property of a cause', new Error('m', {cause: hidden('token')})],
		[
			'headers of a request',
			Object.assign(new Error('m'), {request: new Request('http://127.0.0.1/', {headers: {'x-key': secret}})}),
		],
		['the URL of a request', {request: new Request(`http://127.0.0.1/?token=${secret}`)}],
		['a map', new Map([['token', {secret}]])],
		['bytes', {body: new TextEncoder().encode(secret)}],
		[
			'a getter',
			{
				get token() {
					return secret;
				},
			},
		],
	])('a scan finds a secret in %s', (_place, value) => {
		expect(scan(value)).toThrow('planted refresh token');
	});

	test('a scan finds a secret however a URL, a form or JSON spells it', () => {
		for (const text of [encodeURIComponent('s:"é cret&'), 's%3A%22%C3%A9+cret%26', JSON.stringify('s:"é cret&')]) {
			const own = createCanaries();
			own.plant('s:"é cret&');
			own.see(text);
			expect(own.scan, text).toThrow('canary shows');
		}
	});

	test('a scan finds a secret that is shorter than a prefix', () => {
		const canaries = createCanaries();
		canaries.plant('s3cret');
		canaries.see(new Error('with s3cret in it'));
		expect(canaries.scan).toThrow('canary shows');
	});

	test('a scan that finds a secret names the rendering', () => {
		expect(scan(new Error(secret))).toThrow(/in the message and the own strings of Error/);
		expect(scan({toJSON: () => ({token: secret})})).toThrow(/in JSON\.stringify of/);
	});
});

describe('a scan passes', () => {
	test.each<[what: string, value: unknown]>([
		['an error without it', new Error('m', {cause: new TypeError('fetch failed')})],
		['nine characters of it', new Error(secret.slice(0, 9))],
		[
			'a cycle',
			(() => {
				const error = new Error('m');
				error.cause = {error};
				return error;
			})(),
		],
		[
			'what cannot be rendered',
			{
				get stack() {
					throw new Error('no');
				},
				toJSON() {
					throw new Error('no');
				},
				big: 1n,
			},
		],
		['an object without a prototype', Object.create(null)],
		['a function, a symbol, undefined', [() => secret.length, Symbol('m'), undefined]],
	])('a scan passes over %s', (_what, value) => {
		expect(scan(value)).not.toThrow();
	});

	test('a scan passes quickly over a thousand tokens and a thousand errors', () => {
		const canaries = createCanaries();
		for (let count = 0; count < 1000; count++) {
			canaries.plant(`token-${crypto.randomUUID()}`.slice(6), 'access token');
			canaries.see(new Error(`m ${count}`));
		}
		expect(canaries.scan).not.toThrow();
	});
});

test('an intercepted console keeps what is written, and is itself again afterwards', () => {
	const before = {...console};
	const output = interceptConsole();
	console.warn('a', 1);
	console.table([]);
	output.restore();
	expect(output.calls).toEqual([
		{method: 'warn', values: ['a', 1]},
		{method: 'table', values: [[]]},
	]);
	expect({...console}).toEqual(before);
});

test('a rejection is recorded and given back', async ({canaries}) => {
	const error = new Error('m');
	expect(await canaries.rejection(Promise.reject(error))).toBe(error);
	await expect(canaries.rejection(Promise.resolve(secret))).rejects.toThrow('Expected a rejection, not string');
});

describe('after a test, the guards fail one', () => {
	test.fails('after a test, the guards fail it if it wrote to the console', () => console.log('left over'));

	test.fails('after a test, the guards fail it if a planted secret showed', ({canaries}) => {
		canaries.plant(secret);
		canaries.see(new Error('m', {cause: secret}));
	});

	test.fails('after a test, the guards fail it if an issued token showed', async ({server, canaries}) => {
		const {refresh_token} = await server.mint();
		canaries.see({type: 'refresh-failed', error: new Error('m', {cause: {body: `refresh_token=${refresh_token}`}})});
	});

	test.fails('after a test, the guards fail it if a grant was lost', async ({server}) => {
		const {refresh_token} = await server.mint();
		const body = `grant_type=refresh_token&client_id=${app.clientId}&refresh_token=${refresh_token}`;
		const headers = {'content-type': 'application/x-www-form-urlencoded'};
		for (let count = 0; count < 2; count++) await fetch(server.tokenEndpoint, {method: 'POST', headers, body});
	});

	test.fails('after a test, the guards fail it if the API got a refresh token', async ({server}) => {
		const {refresh_token} = await server.mint();
		await fetch(`${server.api}/me`, {headers: {authorization: `Bearer ${refresh_token}`}});
	});

	test.fails('after a test, the guards fail it if an access token was in a URL', async ({server}) => {
		const {access_token} = await server.mint();
		await fetch(`${server.api}/me?access_token=${access_token}`);
	});

	test.fails('after a test, the guards fail it if a handler threw', async ({serve}) => {
		const {origin} = await serve(() => {
			throw new Error('not expected');
		});
		await fetch(origin).catch(() => {});
	});

	test.fails('after a test, the guards fail it if a watched auth leaked a secret', async ({watch, canaries}) => {
		canaries.plant(secret);
		await watch(fakeAuth())
			.getToken()
			.catch(() => {});
	});

	test.fails(
		'after a test, the guards fail it if an event of a watched auth leaked a secret',
		async ({watch, canaries}) => {
			canaries.plant(secret);
			const auth = fakeAuth();
			watch(auth);
			auth.emit({type: 'token', access_token: secret});
		},
	);

	test.fails('after a test, the guards fail it if an error of ky had a secret', async ({watch, canaries, serve}) => {
		canaries.plant(secret);
		const {origin} = await serve(allowEveryOrigin(() => ({status: 400})));
		await ky.get(origin, {hooks: watch(fakeAuth()).hooks}).catch(() => {});
	});
});

test('a watched auth behaves as the auth itself', async ({watch}) => {
	const auth = Object.freeze(fakeAuth());
	const watched = watch(auth);
	const events: unknown[] = [];
	const unsubscribe = watched.subscribe(event => events.push(event));
	auth.emit({type: 'token'});
	unsubscribe();
	auth.emit({type: 'token'});
	expect(events).toEqual([{type: 'token'}]);
	expect(watched.hooks.init).toBe(auth.hooks.init);
	expect(await watched.refresh()).toBe('refreshed');
	expect(JSON.stringify(watched)).toBe('"[Auth]"');
});

interface FakeAuth extends Watchable {
	emit(event: unknown): void;
	subscribe(listener: (event: unknown) => void): () => void;
	toJSON(): string;
}

function fakeAuth(): FakeAuth {
	const listeners = new Set<(event: unknown) => void>();
	return {
		hooks: {
			init: [
				options => {
					options.headers = {'x-key': secret};
				},
			],
		},
		fetch,
		getToken: () => Promise.reject(new Error('m', {cause: secret})),
		refresh: async () => 'refreshed',
		setToken: async () => {},
		signOut: async () => {},
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		emit(event) {
			for (const listener of listeners) listener(event);
		},
		toJSON: () => '[Auth]',
	};
}
