import {brotliCompressSync, deflateSync, gzipSync} from 'node:zlib';
import type {Staged, TransportFault} from '../faults/room.ts';
import {withCors} from './cors.ts';
import type {Reply} from './serve.ts';

/** Replaces the placeholders of a staged text. */
export type Fill = (text: string) => string;

type Body = ReadableStream<Uint8Array>;

const compress = {gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync};
const bomb = gzipSync(Buffer.alloc(2 ** 25, ' '));
const block = Buffer.alloc(2 ** 16, ' ');

/** Creates the staged answer. Calls `abandon` when the client stops reading an endless body. */
export function answerOf(staged: Staged, fill: Fill, abandon: () => void): Reply {
	const {status = 200, fault, encoding, padding = 0} = staged;
	const text = ' '.repeat(padding) + fill(staged.body ?? '');
	const told = fault === 'bomb' || fault === 'no-gzip' ? 'gzip' : encoding;
	const headers: Array<readonly [string, string]> = [
		...(staged.headers ?? []).map(([name, value]) => [name, fill(value)] as const),
		// Without this, some clients resend a request that was reset on a reused connection.
		['connection', 'close'],
	];
	if (told) headers.push(['content-encoding', told]);
	const hasBody = ![204, 205, 304].includes(status);
	const reply = withCors({status, headers, body: hasBody ? (encoding ? compress[encoding](text) : text) : null});
	return fault ? broken(reply, fault, text, abandon) : reply;
}

function broken(reply: Reply, fault: TransportFault, text: string, abandon: () => void): Reply {
	switch (fault) {
		case 'held':
		case 'no-gzip':
			return reply;
		case 'reset':
		case 'hang':
			return {reset: true};
		case 'stall':
			return {...reply, body: stalling(text.slice(0, text.length / 2), abandon)};
		case 'drip':
			return {...reply, body: dripping(text, abandon)};
		case 'flood':
			return {...reply, body: endless(abandon)};
		case 'bomb':
			return {...reply, body: bomb};
		case 'cut':
			return {raw: `${headOf(reply, 'transfer-encoding: chunked')}ff\r\n${text.slice(0, 100)}`};
		case 'understated':
			return {raw: `${headOf(reply, `content-length: ${Math.floor(text.length / 2)}`)}${text}`};
		case 'overstated':
			return {raw: `${headOf(reply, `content-length: ${text.length + 100}`)}${text}`};
		case 'garbage':
			return {raw: 'This is not HTTP.\r\n\r\n'};
		default:
			return fault satisfies never;
	}
}

/** Returns the bytes of a status line and headers, for answers that Node's server refuses to send. */
function headOf({status, headers = []}: Reply, length: string): string {
	const lines = [`HTTP/1.1 ${status} Staged`, ...headers.map(([name, value]) => `${name}: ${value}`), length];
	return `${lines.join('\r\n')}\r\n\r\n`;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function stalling(text: string, cancel: () => void): Body {
	return new ReadableStream({start: controller => controller.enqueue(bytes(text)), cancel});
}

function endless(cancel: () => void): Body {
	return new ReadableStream({pull: controller => controller.enqueue(block), cancel});
}

function dripping(text: string, cancel: () => void): Body {
	let position = 0;
	return new ReadableStream({
		async pull(controller) {
			await new Promise(resolve => setTimeout(resolve, 20));
			// Sends spaces without end after the text. So far it is valid JSON, and it never ends.
			controller.enqueue(bytes(text[position++] ?? ' '));
		},
		cancel,
	});
}
