import {createServer, type ServerResponse} from 'node:http';
import {createServer as createVite} from 'vite';
import {type AuthorizationServer, listen, shut} from './authorization-server.ts';
import {tallyOf} from './tally.ts';

/** A served page. */
export interface Page {
	readonly origin: string;
	close(): Promise<void>;
}

/** Serves the page on loopback, with the trace and a session for the asking. */
export async function servePage(server: AuthorizationServer, traced: readonly string[]): Promise<Page> {
	const http = createServer();
	const vite = await createVite({
		configFile: false,
		root: import.meta.dirname,
		logLevel: 'warn',
		// All of it is ESM already: with nothing to bundle first, nothing is written to disk either.
		optimizeDeps: {noDiscovery: true},
		server: {middlewareMode: true, ws: {server: http}, watch: null, fs: {allow: ['..']}},
	});
	const routes: Readonly<Record<string, () => unknown>> = {
		'GET /trace': () => traced,
		'POST /session': () => openSession(server),
		'GET /tally': () => tallyOf(server),
	};
	http.on('request', (request, response) => {
		const route = routes[`${request.method} ${request.url}`];
		if (route) void answer(route, response);
		else vite.middlewares(request, response);
	});
	const origin = await listen(http);
	return {
		origin,
		async close() {
			await vite.close();
			await shut(http);
		},
	};
}

/** A session as a login would give it, its access token already at an end. */
async function openSession(server: AuthorizationServer): Promise<object> {
	server.reset();
	const token = await server.mint();
	await server.expire(token.access_token);
	return {tokenEndpoint: server.tokenEndpoint, api: server.api, token};
}

async function answer(route: () => unknown, response: ServerResponse): Promise<void> {
	try {
		const body = JSON.stringify(await route());
		response.setHeader('content-type', 'application/json').end(body);
	} catch {
		response.writeHead(500).end();
	}
}
