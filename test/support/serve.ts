import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';

/** A request as the client sent it. Its body is complete. */
export interface CapturedRequest {
	readonly method: string;
	/** The absolute URL. */
	readonly url: string;
	/** The path and the query, exactly as in the request line. */
	readonly path: string;
	/** Header names are in lower case. The values of a repeated header are joined by a comma. */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** The bytes of the body, for what is not text. */
	readonly bytes: Uint8Array;
}

/** An answer that a `Response` cannot express, for example two header lines of one name, or a reset connection. */
export interface Reply {
	/** Default: 200. */
	readonly status?: number;
	/** The header lines, in this order. */
	readonly headers?: ReadonlyArray<readonly [name: string, value: string]>;
	/** A stream may pause, fail or never end. If it fails, the connection breaks. */
	readonly body?: string | Uint8Array | ReadableStream<Uint8Array> | null;
	/** Resets the connection before any byte is sent. */
	readonly reset?: boolean;
	/** Sends these bytes unchanged, and closes the connection. */
	readonly raw?: string | Uint8Array;
}

/** What a handler may answer with. */
export type Answer = Response | Reply;

/** Answers one request. `request.signal` aborts when the client disconnects. */
export type Handler = (request: Request, captured: CapturedRequest) => Answer | Promise<Answer>;

/** A running server. */
export interface Served {
	readonly origin: string;
	/** All requests, in the order in which their bodies were complete. */
	readonly requests: CapturedRequest[];
	/** Closes all connections. Rejects with the error of a handler, so that an unexpected request fails its test. */
	close(): Promise<void>;
}

/** Starts a real server on loopback, because a fake transport would prove nothing about the transport. */
export async function serve(handler: Handler): Promise<Served> {
	const requests: CapturedRequest[] = [];
	const failures: unknown[] = [];
	const server = createServer((incoming, outgoing) => {
		respond(incoming, outgoing).catch(error => {
			failures.push(error);
			outgoing.destroy();
		});
	});
	const origin = await listen(server);
	async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
		const captured = await capture(incoming, origin).catch(() => undefined);
		if (!captured) return; // the client disconnected while it was sending
		requests.push(captured);
		await send(toReply(await handler(toRequest(captured, outgoing), captured)), outgoing);
	}
	return {
		origin,
		requests,
		async close() {
			await shut(server);
			if (failures.length > 0) throw failures[0];
		},
	};
}

/** Lets a server listen on a free port of loopback. Resolves with its origin. */
export async function listen(server: Server): Promise<string> {
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('The server has no port');
	return `http://127.0.0.1:${address.port}`;
}

/**
Returns an origin that refuses connections, as long as the server of this origin runs: it listens at 127.0.0.1 alone, and nobody else is
given its port. A port that was closed may be somebody else's a moment later.
*/
export const refusedAt = (origin: string): string => origin.replace('127.0.0.1', '127.0.0.2');

/** Closes a server without waiting for its clients. */
export async function shut(server: Server): Promise<void> {
	server.closeAllConnections();
	await new Promise<void>(resolve => server.close(() => resolve()));
}

/** Reads a request to its end. Rejects if the client disconnects before. */
export async function capture(incoming: IncomingMessage, origin: string): Promise<CapturedRequest> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of incoming) chunks.push(chunk as Uint8Array); // no encoding is set, so these are buffers
	const bytes = Buffer.concat(chunks);
	const path = incoming.url ?? '/';
	const headers: Record<string, string> = {};
	for (const [name, values] of Object.entries(incoming.headersDistinct)) headers[name] = values?.join(', ') ?? '';
	return {method: incoming.method ?? 'GET', url: origin + path, path, headers, body: bytes.toString(), bytes};
}

/**
Converts both kinds of answer to a `Reply`. It only reads properties of the `Response`, because in happy-dom that is another class than
Node's.
*/
export function toReply(answer: Answer): Reply {
	if (!('ok' in answer)) return answer;
	return {status: answer.status, headers: [...answer.headers], body: answer.body};
}

/** Writes a reply. A stream is read no faster than the client reads, and is cancelled when the client disconnects. */
export async function send(reply: Reply, outgoing: ServerResponse): Promise<void> {
	const {status = 200, headers = [], body, reset, raw} = reply;
	if (reset) return void outgoing.socket?.resetAndDestroy();
	if (raw !== undefined) return void outgoing.socket?.end(raw);
	for (const [name, value] of headers) outgoing.appendHeader(name, value);
	outgoing.writeHead(status);
	if (body === undefined || body === null || typeof body === 'string' || ArrayBuffer.isView(body)) {
		return void outgoing.end(body ?? undefined);
	}
	outgoing.flushHeaders(); // sends the headers at once, even if the body never comes
	await pump(body, outgoing);
}

async function pump(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
	const reader = body.getReader();
	outgoing.once('close', () => void reader.cancel().catch(() => {}));
	try {
		for (let read = await reader.read(); !read.done && !outgoing.destroyed; read = await reader.read()) {
			if (!outgoing.write(read.value)) await writable(outgoing);
		}
		outgoing.end();
	} catch {
		outgoing.destroy();
	}
}

function writable(outgoing: ServerResponse): Promise<void> {
	return new Promise(resolve => {
		const settle = (): void => {
			outgoing.off('drain', settle).off('close', settle);
			resolve();
		};
		outgoing.on('drain', settle).on('close', settle);
	});
}

function toRequest({method, url, headers, bytes}: CapturedRequest, outgoing: ServerResponse): Request {
	const client = new AbortController();
	outgoing.once('close', () => client.abort());
	const hasBody = bytes.length > 0 && method !== 'GET' && method !== 'HEAD';
	return new Request(url, {method, headers, body: hasBody ? new Uint8Array(bytes) : null, signal: client.signal});
}
