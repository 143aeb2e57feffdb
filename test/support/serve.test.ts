import {createConnection} from 'node:net';
import {describe, expect} from 'vitest';
import {allowEveryOrigin} from './cors.ts';
import {test} from './test.ts';

/** Returns an answer as the bytes on the wire. `fetch` would join header lines, and in happy-dom it obeys CORS. */
function exchange(origin: string, request: string): Promise<string> {
	const {hostname, port} = new URL(origin);
	return new Promise((resolve, reject) => {
		let text = '';
		const socket = createConnection(Number(port), hostname, () => socket.write(request));
		socket
			.on('data', chunk => (text += chunk))
			.on('end', () => resolve(text))
			.on('error', reject);
	});
}

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;

describe('a served handler', () => {
	test('a served handler is given the request, which is captured with its body', async ({serve}) => {
		const {origin, requests} = await serve(
			allowEveryOrigin(async request => new Response(`${request.method} ${await request.text()}`)),
		);
		const response = await fetch(`${origin}/a?b=c`, {method: 'PUT', headers: {'x-key': 'v'}, body: 'ü'});
		expect(await response.text()).toBe('PUT ü');
		expect(requests.at(-1)).toMatchObject({
			method: 'PUT',
			url: `${origin}/a?b=c`,
			path: '/a?b=c',
			headers: {'x-key': 'v'},
			body: 'ü',
		});
		expect([...(requests.at(-1)?.bytes ?? [])]).toEqual([0xc3, 0xbc]);
	});

	test('a served handler sends header lines of one name apart', async ({serve}) => {
		const {origin} = await serve(() => ({
			status: 401,
			headers: [
				['WWW-Authenticate', 'Basic realm="x"'],
				['WWW-Authenticate', 'Bearer'],
			],
			body: 'no',
		}));
		const answer = await exchange(origin, get());
		expect(answer).toMatch(
			/^HTTP\/1\.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nWWW-Authenticate: Bearer\r\n/,
		);
		expect(answer).toMatch(/no\r\n0\r\n\r\n$|\r\nno$/);
	});

	test('a served handler may stall in its body, after its headers', async ({serve}) => {
		let isCancelled = false;
		const stalled = new ReadableStream<Uint8Array>({
			start: controller => controller.enqueue(new TextEncoder().encode('some')),
			cancel: () => {
				isCancelled = true;
			},
		});
		const {origin} = await serve(allowEveryOrigin(() => ({body: stalled})));
		const leave = new AbortController();
		const response = await fetch(origin, {signal: leave.signal});
		const reader = response.body?.getReader();
		expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('some');
		leave.abort();
		await expect.poll(() => isCancelled).toBe(true);
	});

	test('a served handler floods no further than its client reads', async ({serve}) => {
		let pulled = 0;
		let isCancelled = false;
		const flood = new ReadableStream<Uint8Array>({
			pull(controller) {
				pulled += 65_536;
				controller.enqueue(new Uint8Array(65_536));
			},
			cancel: () => {
				isCancelled = true;
			},
		});
		const {origin} = await serve(() => ({body: flood}));
		const {hostname, port} = new URL(origin);
		const socket = createConnection(Number(port), hostname, () => socket.write(get()));
		await new Promise<void>(resolve => socket.once('data', () => resolve(void socket.pause())));
		await new Promise(resolve => setTimeout(resolve, 100));
		expect(pulled).toBeLessThan(100_000_000);
		socket.destroy();
		await expect.poll(() => isCancelled).toBe(true);
	});

	test('a served handler may break off in the middle, or before any byte', async ({serve}) => {
		const broken = (): ReadableStream<Uint8Array> =>
			new ReadableStream({
				pull(controller) {
					controller.error(new Error('broken'));
				},
			});
		const {origin} = await serve((_request, {path}) =>
			path === '/reset' ? {reset: true} : {headers: [['content-length', '9']], body: broken()},
		);
		await expect(exchange(origin, get('/reset'))).rejects.toThrow('ECONNRESET');
		await expect(fetch(origin).then(response => response.text())).rejects.toThrow();
	});

	test('a served handler is told when its client leaves', async ({serve}) => {
		let signal: AbortSignal | undefined;
		const {origin} = await serve(async request => {
			signal = request.signal;
			return new Promise<Response>(() => {});
		});
		const {hostname, port} = new URL(origin);
		const socket = createConnection(Number(port), hostname, () => socket.write(get()));
		await expect.poll(() => signal?.aborted).toBe(false);
		socket.destroy();
		await expect.poll(() => signal?.aborted).toBe(true);
	});
});
