// Runs in its own thread, so that only the client is measured. It accepts every token that it has ever issued, like a server without
// rotation and revocation. So no request of a client fails, and all of them can be counted.
import {createServer, type ServerResponse} from 'node:http';
import {parentPort} from 'node:worker_threads';
import {listen} from '../support/serve.ts';

let issued = 0;
let grants = 0;
let calls = 0;
const good = new Set<string | undefined>();

const issue = (): object => ({
	access_token: `access-${++issued}`,
	refresh_token: `refresh-${issued}`,
	token_type: 'Bearer',
	expires_in: 3600,
});

const routes: Readonly<Record<string, () => object>> = {
	'/token': () => {
		grants++;
		const token = issue();
		good.add(`Bearer access-${issued}`);
		return token;
	},
	// A session whose access token has already expired.
	'/session': () => {
		[grants, calls] = [0, 0];
		good.clear();
		return issue();
	},
	'/tally': () => ({grants, calls}),
};

function answer(response: ServerResponse, body: object): void {
	response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

const server = createServer((request, response) => {
	request.resume();
	const route = routes[request.url ?? ''];
	if (route) return answer(response, route());
	calls++;
	if (good.has(request.headers.authorization)) return answer(response, {accounts: []});
	response.writeHead(401, {'www-authenticate': 'Bearer error="invalid_token"'}).end();
});

// A connection must outlive the slowest round of another client.
server.keepAliveTimeout = 120_000;

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(await listen(server));
