import {type AuthorizationServer, serve} from './authorization-server.ts';
import type {Lane} from './page/lane.ts';

/** A proxy in front of the servers. A program that uses it has its requests drawn, and does not know about that. */
export interface Door {
	/** The addresses that the program gets in place of the servers' own. */
	readonly env: {readonly TOKEN_ENDPOINT: string; readonly API: string};
	close(): Promise<void>;
}

/** Headers that belong to one connection and are not forwarded (RFC 9110 §7.6.1). `fetch` sets the length again. */
const ofConnection = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'transfer-encoding'];

/** Opens a door. A lane reports what goes through it. */
export async function openDoor(server: AuthorizationServer, lane: Lane): Promise<Door> {
	const tokenPath = new URL(server.tokenEndpoint).pathname;
	const served = await serve(async ({signal}, {method, path, headers, bytes}) => {
		const target = path === tokenPath ? server.tokenEndpoint : server.api + path;
		const body = method === 'GET' ? null : new Uint8Array(bytes);
		try {
			const answer = await lane.fetch(target, {method, headers: passOn(headers), body, signal, redirect: 'manual'});
			return new Response(answer.body, {status: answer.status, headers: passOn(Object.fromEntries(answer.headers))});
		} catch {
			// If the server did not answer, the program gets no answer either.
			return {reset: true};
		}
	});
	return {env: {TOKEN_ENDPOINT: served.origin + tokenPath, API: served.origin}, close: served.close};
}

function passOn(headers: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofConnection.includes(name)));
}
