import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {text} from 'node:stream/consumers';
import {createServer as createVite} from 'vite';
import {type AuthorizationServer, listen, shut} from './authorization-server.ts';
import {createControls, type Mood} from './controls.ts';
import {createHub} from './hub.ts';
import type {Report} from './report.ts';
import {tallyOf} from './tally.ts';

/** A served page. */
export interface Page {
	readonly origin: string;
	close(): Promise<void>;
}

/** Serves the page on loopback, with the trace, the controls of the server, and what all lanes report. */
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
	const hub = createHub();
	const controls = createControls(server);
	const {tokenEndpoint, revocationEndpoint, api} = server;
	const routes: Readonly<Record<string, (body: string) => unknown>> = {
		'GET /trace': () => traced,
		'GET /place': () => ({tokenEndpoint, revocationEndpoint, api}),
		'GET /tally': () => tallyOf(server),
		'POST /login': () => server.mint(),
		'POST /expire': controls.expire,
		'POST /revoke': controls.revoke,
		// All of these come from the page, which was served from here.
		'POST /mood': body => controls.setMood(JSON.parse(body) as Mood),
		'POST /reports': body => hub.publish(JSON.parse(body) as Report[]),
	};
	http.on('request', (request, response) => {
		const route = routes[`${request.method} ${request.url}`];
		if (request.url === '/events') hub.listen(request, response);
		else if (route) void answer(route, request, response);
		else vite.middlewares(request, response);
	});
	const origin = await listen(http);
	return {
		origin,
		async close() {
			hub.close();
			await vite.close();
			await shut(http);
		},
	};
}

async function answer(
	route: (body: string) => unknown,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	try {
		const body = JSON.stringify((await route(await text(request))) ?? null);
		response.setHeader('content-type', 'application/json').end(body);
	} catch {
		response.writeHead(500).end();
	}
}
