// A WebSocket that is opened again whenever it closes, each time with a token that is valid for a while. The token is in the first message,
// and never in the URL, because URLs end up in logs. Run: npx vitest run test/recipes/websocket.test.ts
import process from 'node:process';
import {createAuth} from 'regrant';

/** The code with which the server closes the connection when it rejects the token. */
const refused = 4401;
const longestPause = 10_000;

/** A wss URL. It must be a constant: anybody who could choose it would get the token. */
const {TOKEN_ENDPOINT = '', CLIENT_ID = '', FEED = ''} = process.env;

export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID});

/** Opens one connection, until it closes or the signal aborts. Returns the code with which it closed. */
async function connect(access_token: string, hear: (message: string) => void, signal: AbortSignal): Promise<number> {
	const socket = new WebSocket(FEED);
	const leave = (): void => socket.close();
	signal.addEventListener('abort', leave);
	socket.addEventListener('open', () => socket.send(JSON.stringify({access_token})));
	socket.addEventListener('message', ({data}) => hear(String(data)));
	const code = await new Promise<number>(resolve => {
		socket.addEventListener('close', ({code}) => resolve(code));
	});
	signal.removeEventListener('abort', leave);
	return code;
}

/**
Listens to the feed until the signal aborts, and then rejects with its reason.

@throws {RegrantError} if there is no token: the session is over, or the token endpoint fails for now.
*/
export async function listen(hear: (message: string) => void, signal: AbortSignal): Promise<never> {
	let useless: string | undefined;
	for (let failures = 0; ; failures++) {
		let {access_token} = await auth.getToken({signal, minimumLifetime: 30});
		// The token may not have expired, but the server has rejected it. If it was renewed meanwhile, this returns the new one.
		if (useless !== undefined) ({access_token} = await auth.refresh({instead: useless, signal}));
		const hearAgain = (message: string): void => {
			failures = 0;
			hear(message);
		};
		const code = await connect(access_token, hearAgain, signal);
		signal.throwIfAborted();
		if (code === refused) useless = access_token;
		await new Promise(resolve => void setTimeout(resolve, Math.min(100 * 2 ** failures, longestPause)));
	}
}
