import {type AuthorizationServer, serve} from './authorization-server.ts';
import type {Lane} from './page/lane.ts';

/** A way to the servers through which a program goes whose requests are to be seen, and which knows nothing of it. */
export interface Door {
	/** What the program is told in place of the servers' addresses. */
	readonly env: {readonly TOKEN_ENDPOINT: string; readonly API: string};
	close(): Promise<void>;
}

/** Of one connection, and so not to be passed on: RFC 9110 §7.6.1. The body's length is known anew. */
const ofConnection = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'transfer-encoding'];

/** Opens a door. What goes through it is reported by a lane. */
export async function openDoor(server: AuthorizationServer, lane: Lane): Promise<Door> {
	const tokenPath = new URL(server.tokenEndpoint).pathname;
	const served = await serve(async ({signal}, {method, path, headers, bytes}) => {
		const target = path === tokenPath ? server.tokenEndpoint : server.api + path;
		const body = method === 'GET' ? null : new Uint8Array(bytes);
		try {
			const answer = await lane.fetch(target, {method, headers: passOn(headers), body, signal, redirect: 'manual'});
			return new Response(answer.body, {status: answer.status, headers: passOn(Object.fromEntries(answer.headers))});
		} catch {
			// No answer from there is none from here.
			return {reset: true};
		}
	});
	return {env: {TOKEN_ENDPOINT: served.origin + tokenPath, API: served.origin}, close: served.close};
}

function passOn(headers: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofConnection.includes(name)));
}
