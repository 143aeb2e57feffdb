import {createServer} from 'node:http';
import {expect} from 'vitest';
import {type WebSocket, WebSocketServer} from 'ws';
import {createGate, expired, signIn} from '../support/scenario.ts';
import {listen as open, shut} from '../support/serve.ts';
import {test as base} from '../support/recipe-test.ts';

/** A feed that expects a token in the first message of a connection, and then sends who is connected. */
interface Feed {
	readonly url: string;
	/** For each connection: its opening request, its token, and whether the token was accepted. */
	readonly connections: Array<{readonly opening: string; readonly access_token: string; readonly isGood: boolean}>;
	/** Closes all connections, like a server that is deployed again. */
	restart(): void;
}

const test = base
	.extend('runningFeed', {scope: 'file'}, async ({runningServer}, {onCleanup}): Promise<Feed> => {
		const http = createServer();
		const sockets = new WebSocketServer({server: http});
		const connections: Feed['connections'] = [];
		const greet = async (socket: WebSocket, opening: string, message: string): Promise<void> => {
			const {access_token} = JSON.parse(message) as {readonly access_token: string}; // this is the first message of the recipe
			const isGood = await runningServer.isActive(access_token);
			connections.push({opening, access_token, isGood});
			if (isGood) socket.send('welcome');
			else socket.close(4401);
		};
		sockets.on('connection', (socket, {url, headers}) => {
			const opening = JSON.stringify({url, headers});
			socket.once('message', data => void greet(socket, opening, (data as Buffer).toString())); // `ws` gives a Buffer by default
		});
		const origin = await open(http);
		onCleanup(async () => {
			for (const socket of sockets.clients) socket.terminate();
			await shut(http);
		});
		const restart = (): void => sockets.clients.forEach(socket => socket.close(1012));
		return {url: origin.replace('http', 'ws'), connections, restart};
	})
	.extend('recipe', {scope: 'file'}, async ({environment, runningFeed}) => {
		environment({FEED: runningFeed.url});
		return import('../../playground/recipes/websocket.ts');
	})
	.extend('feed', async ({runningFeed, canaries}, {onCleanup}) => {
		runningFeed.connections.length = 0;
		onCleanup(() => {
			for (const {opening} of runningFeed.connections) canaries.see(opening);
		});
		return runningFeed;
	})
	.extend('listen', async ({recipe, canaries}) => {
		return async (): Promise<{readonly messages: string[]; stop(): Promise<unknown>}> => {
			const stopping = new AbortController();
			const messages: string[] = [];
			const welcome = createGate();
			const over = canaries.rejection(
				recipe.listen(message => {
					messages.push(message);
					void welcome.pass();
				}, stopping.signal),
			);
			await Promise.race([welcome.reached, over]);
			return {
				messages,
				stop: () => {
					stopping.abort('enough');
					return over;
				},
			};
		};
	});

test('a connection begins with a token in its first message, and has none in its address [R6]', async ({
	server,
	recipe: {auth},
	feed,
	listen,
}) => {
	await signIn(server, auth, expired);
	const listeners = await Promise.all(Array.from({length: 5}, listen));
	expect(listeners.map(({messages}) => messages)).toEqual(Array.from({length: 5}, () => ['welcome']));
	expect(new Set(feed.connections.map(({access_token}) => access_token)).size).toBe(1);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	expect(await Promise.all(listeners.map(({stop}) => stop()))).toEqual(Array.from({length: 5}, () => 'enough'));
});

test('a connection that was lost is opened again, with a token that is good for a while', async ({
	server,
	recipe: {auth},
	feed,
	listen,
}) => {
	await signIn(server, auth);
	const {messages, stop} = await listen();
	feed.restart();
	await expect.poll(() => messages).toEqual(['welcome', 'welcome']);
	expect(server.tokenRequests).toHaveLength(0);
	// The recipe refreshes before it connects, because ten seconds of lifetime are too few.
	const now = Math.floor(Date.now() / 1000);
	await auth.setToken({...(await server.mint()), issued_at: now - 50, expires_at: now + 10});
	feed.restart();
	await expect.poll(() => messages).toEqual(['welcome', 'welcome', 'welcome']);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	expect(feed.connections.map(({isGood}) => isGood)).toEqual([true, true, true]);
	await stop();
});

test('a token that the server no longer accepts is renewed once, however many connections there are', async ({
	server,
	recipe: {auth},
	feed,
	listen,
}) => {
	const {access_token} = await signIn(server, auth);
	await server.expire(access_token);
	const listeners = await Promise.all(Array.from({length: 5}, listen));
	const taken = feed.connections.filter(({isGood}) => isGood);
	expect([feed.connections.length, taken.length]).toEqual([10, 5]);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	await Promise.all(listeners.map(({stop}) => stop()));
});

test('a session that is over closes the connection', async ({server, canaries, recipe: {auth, listen}, feed}) => {
	await auth.setToken({...(await server.mint()), ...expired, refresh_token: 'never-issued'});
	const error = await canaries.rejection(listen(() => {}, new AbortController().signal));
	expect(error).toMatchObject({name: 'SessionEndedError', reason: 'invalid_grant'});
	expect(server.tokenRequests.map(({status}) => status)).toEqual([400]);
	expect(feed.connections).toEqual([]);
});
