import {expect} from 'vitest';
import {createGate, expired} from '../support/scenario.ts';
import {app, type AuthorizationServer, type TokenResponse} from '../support/authorization-server.ts';
import {test as base} from '../support/recipe-test.ts';
import {once} from '../support/stage.ts';
import {sendAbruptly} from '../support/abrupt-request.ts';
import {startWorkers} from '../support/workers.ts';

/** A user's browser, whose requests reach different isolates. */
interface Visitor {
	readonly cookie: string;
	/** Sends this number of requests at once, each to the next isolate. */
	ask(count: number, path?: string, method?: string): Promise<Response[]>;
}

const test = base
	.extend('workers', {scope: 'file'}, async ({runningServer}, {onCleanup}) => {
		const workers = await startWorkers({
			entry: 'test/e2e/workerd/hono.ts',
			env: {
				TOKEN_ENDPOINT: runningServer.tokenEndpoint,
				REVOCATION_ENDPOINT: runningServer.revocationEndpoint,
				CLIENT_ID: app.clientId,
				API: runningServer.api,
			},
		});
		onCleanup(workers.stop);
		return workers;
	})
	.extend('signIn', async ({workers: {origins}}) => async (login: Partial<TokenResponse>): Promise<Visitor> => {
		const callback = await fetch(`${origins[0]}/callback`, {method: 'POST', body: JSON.stringify(login)});
		const [cookie = ''] = callback.headers.get('set-cookie')?.split(';') ?? [];
		return {
			cookie,
			ask: async (count, path = '/api/me', method = 'GET') =>
				Promise.all(
					Array.from({length: count}, async (_, index) =>
						fetch(origins[index % origins.length] + path, {method, headers: {cookie}}),
					),
				),
		};
	});

const statuses = (answers: readonly Response[]): number[] => answers.map(({status}) => status);
const grants = ({tokenRequests}: AuthorizationServer): number[] => tokenRequests.map(({status}) => status);

test('thirty requests at once in three isolates make one grant for each user [F-105]', async ({server, signIn}) => {
	const users = [
		await signIn({...(await server.mint()), ...expired}),
		await signIn({...(await server.mint()), ...expired}),
	];
	const answers = await Promise.all(users.map(({ask}) => ask(30)));
	expect(new Set(statuses(answers.flat()))).toEqual(new Set([200]));
	const bodies = await Promise.all(answers.map(async list => Promise.all(list.map(answer => answer.text()))));
	const subjects = bodies.map(list => [...new Set(list)]);
	expect(subjects.map(({length}) => length)).toEqual([1, 1]);
	expect(subjects[0]).not.toEqual(subjects[1]);
	expect(grants(server)).toEqual([200, 200]);
});

test('a client that leaves while the server renews the token does not lose the session [R82, F-108]', async ({
	server,
	workers: {origins},
	signIn,
}) => {
	const {cookie, ask} = await signIn({...(await server.mint()), ...expired});
	const gate = createGate();
	server.onTokenAnswer(once(gate.pass));
	const leave = sendAbruptly(`${origins[0]}/api/me`, {cookie});
	await gate.reached;
	leave();
	// These requests give every isolate time to notice that the client is gone.
	expect(statuses(await ask(9, '/api/nothing'))).toEqual(Array.from({length: 9}, () => 404));
	gate.open();
	expect(statuses(await ask(9))).toEqual(Array.from({length: 9}, () => 200));
	expect(grants(server)).toEqual([200]);
});

test('a user who signs out in one isolate is signed out in all of them, and at the server', async ({
	server,
	signIn,
}) => {
	const {ask} = await signIn(await server.mint());
	expect(statuses(await ask(1, '/api/sign-out', 'POST'))).toEqual([204]);
	expect(statuses(await ask(3))).toEqual([401, 401, 401]);
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	expect(grants(server)).toEqual([]);
});

test('a session that the server has ended is a 401, and trouble of the server a 503', async ({server, signIn}) => {
	const lost = await signIn({...(await server.mint()), ...expired, refresh_token: 'never-issued'});
	expect(statuses([...(await lost.ask(3)), ...(await lost.ask(3))])).toEqual(Array.from({length: 6}, () => 401));
	const waiting = await signIn({...(await server.mint()), ...expired});
	server.onToken(once(() => new Response(null, {status: 503})));
	expect(statuses(await waiting.ask(1))).toEqual([503]);
	expect(statuses(await waiting.ask(3))).toEqual([200, 200, 200]);
	expect(grants(server)).toEqual([400, 503, 200]);
});
