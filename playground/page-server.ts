import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {text} from 'node:stream/consumers';
import {type AuthorizationServer as Metadata, discover} from 'regrant/login';
import {type AuthorizationServer, listen, shut} from './authorization-server.ts';
import {createControls} from './controls.ts';
import {createDenoProgram} from './deno-program.ts';
import {createBuiltFront, createSourceFront} from './front.ts';
import {createHub, type Hub} from './hub.ts';
import {createBatch} from './page/batch.ts';
import {createLane} from './page/lane.ts';
import type {Mood} from './page/mood.ts';
import type {Report} from './page/report.ts';
import {createWorkerProgram} from './worker-program.ts';

/** A served page. */
export interface Page {
	readonly origin: string;
	close(): Promise<void>;
}

/** What is served. */
export interface PageOptions {
	/** The lines that the trace has printed. */
	readonly traced?: readonly string[];
	/** The page as it was built. By default it is served from its sources. */
	readonly files?: ReadonlyMap<string, string>;
}

/** The handlers of the page's requests, by method and path. Their results are sent as JSON. */
type Routes = Readonly<Record<string, (body: string) => unknown>>;

/** Serves the page on loopback, with the trace, the controls of the server, and what all lanes report. */
export async function servePage(server: AuthorizationServer, {traced = [], files}: PageOptions = {}): Promise<Page> {
	const http = createServer();
	const front = files ? createBuiltFront(files) : await createSourceFront(http);
	const hub = createHub();
	const report = createBatch(hub.publish);
	const programs = {worker: createWorkerProgram(server, report), deno: createDenoProgram(server, report)};
	const routes: Routes = {
		'GET /trace': () => traced,
		...serverRoutes(server, await discover(server.issuer), hub, report),
		// Only this page sends these requests, so their bodies need no checks.
		'POST /reports': body => hub.publish(JSON.parse(body) as Report[]),
		'POST /worker': programs.worker.run,
		'POST /worker-hang-up': programs.worker.hangUp,
		'POST /deno': programs.deno.run,
	};
	http.on('request', (request, response) => {
		const route = routes[`${request.method} ${request.url}`];
		if (route && !isOwn(request)) response.writeHead(403).end();
		else if (request.url === '/events') hub.listen(request, response);
		else if (route) void answer(route, request, response);
		else front.handle(request, response);
	});
	const origin = await listen(http);
	return {
		origin,
		async close() {
			hub.close();
			await Promise.all([programs.worker.close(), programs.deno.close(), front.close()]);
			await shut(http);
		},
	};
}

/** Whether a request comes from this page or from no page at all. Other pages in the browser may not use this server. */
function isOwn({headers: {host = '', origin}, socket: {localPort}}: IncomingMessage): boolean {
	const hosts = [`127.0.0.1:${localPort}`, `localhost:${localPort}`];
	return hosts.includes(host) && (origin === undefined || origin === `http://${host}`);
}

/** Changes of the server. They are drawn in a lane of their own. */
function serverRoutes(
	server: AuthorizationServer,
	metadata: Metadata,
	hub: Hub,
	report: (report: Report) => void,
): Routes {
	const controls = createControls(server);
	const lane = createLane('server', 'the server', report);
	const {tokenEndpoint, revocationEndpoint, api} = server;
	return {
		'GET /place': () => ({tokenEndpoint, revocationEndpoint, api, server: metadata, mood: controls.mood}),
		'POST /login': () => server.mint(),
		async 'POST /expire'(body) {
			const accessToken = JSON.parse(body || 'null') as string | null; // the page sends it
			await controls.expire(accessToken ?? undefined);
			// If only one token expires, only the scene that asked for it needs to know.
			if (accessToken === null) lane.note('expired');
		},
		async 'POST /revoke'() {
			await controls.revoke();
			lane.note('revoked');
		},
		'POST /mood'(body) {
			const mood = JSON.parse(body) as Mood; // the page's select has no other values
			controls.setMood(mood);
			hub.tellMood(mood);
			lane.note(mood);
		},
	};
}

async function answer(route: Routes[string], request: IncomingMessage, response: ServerResponse): Promise<void> {
	try {
		const body = JSON.stringify((await route(await text(request))) ?? null);
		response.setHeader('content-type', 'application/json').end(body);
	} catch {
		response.writeHead(500).end();
	}
}
