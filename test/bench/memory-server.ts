import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {listen, shut} from '../support/serve.ts';

/** What the server has counted. */
export interface Traffic {
	grants: number;
	/** Calls that were answered with 401. */
	refused: number;
	/** Calls that were never answered. */
	unanswered: number;
	/** Bytes of response bodies that were sent, and bytes of request bodies that were received. */
	bytesDown: number;
	bytesUp: number;
}

/** An API for large amounts, and a token endpoint. */
export interface MemoryServer {
	readonly origin: string;
	/** Returns the counts since the previous call, and starts at zero again. */
	takeTraffic(): Traffic;
	close(): Promise<void>;
}

/** Counts of zero. */
export const none: Traffic = {grants: 0, refused: 0, unanswered: 0, bytesDown: 0, bytesUp: 0};
const chunk = Buffer.alloc(64 * 1024, 'regrant ');

/**
Starts the server. `/once` accepts each token a single time. `/never` does not answer. `/down?bytes=…` sends that many bytes, and `/up`
accepts a body of any length.
*/
export async function startMemoryServer(): Promise<MemoryServer> {
	let traffic = {...none};
	let issued = 0;
	/** The token that `/once` accepts next. */
	let fresh = '';

	const give = (bytes: number, response: ServerResponse): void => {
		let left = bytes;
		const push = (): void => {
			while (left > 0) {
				const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
				left -= part.length;
				traffic.bytesDown += part.length;
				if (!response.write(part)) {
					response.once('drain', push);
					return;
				}
			}
			response.end();
		};
		push();
	};

	const answerCall = (request: IncomingMessage, response: ServerResponse): void => {
		const {pathname, searchParams} = new URL(request.url ?? '', 'http://server');
		switch (pathname) {
			case '/token':
				traffic.grants++;
				fresh = `access-${++issued}`;
				response.setHeader('content-type', 'application/json');
				response.end(
					JSON.stringify({
						access_token: fresh,
						refresh_token: `refresh-${issued}`,
						token_type: 'Bearer',
						expires_in: 3600,
					}),
				);
				return;
			case '/once':
				if (fresh !== '' && request.headers.authorization === `Bearer ${fresh}`) {
					fresh = '';
					response.end('{}');
					return;
				}
				traffic.refused++;
				response.writeHead(401, {'www-authenticate': 'Bearer error="invalid_token"'}).end('{}');
				return;
			case '/never':
				traffic.unanswered++;
				return;
			case '/down':
				give(Number(searchParams.get('bytes')), response);
				return;
			default:
				response.writeHead(404).end();
		}
	};

	const server = createServer((request, response) => {
		if (request.url !== '/up') {
			request.resume();
			answerCall(request, response);
			return;
		}
		request.on('data', (part: Buffer) => {
			traffic.bytesUp += part.length;
		});
		request.once('end', () => response.end('{}'));
	});
	return {
		origin: await listen(server),
		takeTraffic() {
			const taken = traffic;
			traffic = {...none};
			return taken;
		},
		close: async () => shut(server),
	};
}
