import {Readable} from 'node:stream';
import {describe, expect} from 'vitest';
import {requestToken, type TokenClient} from '../../src/index.ts';
import {test} from '../support/test.ts';

const granting = {grant_type: 'client_credentials', scope: 'a'} as const;
const answer = {access_token: 'at', token_type: 'Bearer'};

/** A response as node-fetch returns it: its body is a stream of Node, not a web stream. */
function respond(body: Readable | null, status = 200): Response {
	const headers = new Headers({'content-type': 'application/json'});
	return {status, headers, body, ok: status === 200, type: 'default', redirected: false} as unknown as Response;
}

const client = (body: Readable | null, status?: number): TokenClient => ({
	tokenEndpoint: 'https://as.example/token',
	clientId: 'client',
	fetch: async () => respond(body, status),
});

describe('an answer whose body is a stream of Node', () => {
	test('an answer whose body is a stream of Node is read [F-154]', async () => {
		const bytes = Buffer.from(JSON.stringify({...answer, scope: 'é'}));
		const middle = bytes.indexOf(0xc3) + 1;
		const body = Readable.from([bytes.subarray(0, middle), bytes.subarray(middle)]);
		await expect(requestToken(client(body), granting)).resolves.toMatchObject({...answer, scope: 'é'});
	});

	test('an answer whose body is a stream of Node may be an error [F-154]', async ({canaries}) => {
		const body = Readable.from([Buffer.from('{"error":"invalid_scope"}')]);
		const error = await canaries.rejection(requestToken(client(body, 400), granting));
		expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_scope', status: 400});
	});

	test('an answer whose body is a stream of Node is not read beyond 1 MiB, and is then destroyed [F-154, R19]', async ({
		canaries,
	}) => {
		let read = 0;
		const body = Readable.from(
			(function* () {
				for (;;) {
					read += 65_536;
					yield Buffer.alloc(65_536, 0x20);
				}
			})(),
		);
		const error = await canaries.rejection(requestToken(client(body), granting));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'body_too_large'});
		await expect.poll(() => body.destroyed).toBe(true);
		expect(read).toBeLessThan(4 * 2 ** 20);
	});

	test('an answer whose body is a stream of Node that breaks off is a failure of the network [F-154]', async ({
		canaries,
	}) => {
		const body = new Readable({
			read() {
				this.destroy(Object.assign(new Error('{"access_token":"at-canary-Jw6s"}'), {code: 'ECONNRESET'}));
			},
		});
		canaries.plant('at-canary-Jw6s', 'body');
		const error = await canaries.rejection(requestToken(client(body), granting));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'network', platformCode: 'ECONNRESET'});
	});

	test('the body of a node-fetch answer may be missing [F-154]', async ({canaries}) => {
		const error = await canaries.rejection(requestToken(client(null), granting));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'not_json'});
	});
});
