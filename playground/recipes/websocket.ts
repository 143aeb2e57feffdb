// A WebSocket that is opened again whenever it closes, each time with a token that is good for a while. The token is in the
// first message, never in the URL, which ends up in logs. Run: npx vitest run test/recipes/websocket.test.ts
import process from 'node:process';
import {createAuth} from 'regrant';

/** The code with which the server closes where it does not take the token, or takes it no longer. */
const refused = 4401;
const longestPause = 10_000;

/** A wss address, and a constant of the program: whoever could choose it would be sent the token. */
const {TOKEN_ENDPOINT = '', CLIENT_ID = '', FEED = ''} = process.env;

export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID});

/** One connection, until it closes or the signal ends it. Gives the code with which it closed. */
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
Hears the feed until the signal is aborted, and then rejects with its reason.

@throws {RegrantError} where there is no token to be had: the session is over, or it may work later.
*/
export async function listen(hear: (message: string) => void, signal: AbortSignal): Promise<never> {
	let useless: string | undefined;
	for (let failures = 0; ; failures++) {
		let {access_token} = await auth.getToken({signal, minimumLifetime: 30});
		// By the clock it may be good, and the server knows better. If it was renewed meanwhile, this gives the new one.
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
