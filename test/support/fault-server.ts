import type {RoomFacts, Script} from '../faults/room.ts';
import {allowEveryOrigin} from './cors.ts';
import {createFaultRoom, type FaultRoom, type Kind} from './fault-room.ts';
import {type Answer, type Handler, serve} from './serve.ts';

/** An authorization server, an API and a foreign origin that answer by scripts. Each test has its own room at them. */
export interface FaultServer {
	/** The URL at which rooms are opened. */
	readonly door: string;
	/** Requests that belong to no room. */
	readonly strays: readonly string[];
	close(): Promise<void>;
}

/** Starts the servers, each on a port of its own. */
export async function startFaultServer(): Promise<FaultServer> {
	const rooms = new Map<string, FaultRoom>();
	const strays: string[] = [];

	const handler =
		(kinds: Readonly<Record<string, Kind>>, otherwise: Kind | undefined): Handler =>
		async (request, captured) => {
			const [, id = '', path = ''] = /^\/(\w+)(\/[^]*)$/.exec(captured.path) ?? [];
			const kind = kinds[path.split('?')[0] ?? ''] ?? otherwise;
			const room = rooms.get(id);
			if (room && kind) return room.answer(kind, path, captured, request.signal);
			strays.push(`${captured.method} ${captured.url}`);
			return {status: 404};
		};
	const tokens = await serve(allowEveryOrigin(handler({'/token': 'token', '/revoke': 'revocation'}, undefined)));
	const api = await serve(allowEveryOrigin(handler({}, 'api')));
	const elsewhere = await serve(allowEveryOrigin(handler({}, 'elsewhere')));

	const open = (script: Script): RoomFacts & {readonly id: string} => {
		const id = `room${rooms.size}`;
		const urls = {
			token: `${tokens.origin}/${id}/token`,
			api: `${api.origin}/${id}/`,
			elsewhere: `${elsewhere.origin}/${id}/`,
			beside: `${elsewhere.origin.replace('http:', '')}/${id}/`,
		};
		const room = createFaultRoom(script, urls);
		rooms.set(id, room);
		return {
			id,
			tokenEndpoint: urls.token,
			revocationEndpoint: `${tokens.origin}/${id}/revoke`,
			api: urls.api,
			elsewhere: urls.elsewhere,
			// All servers listen on 127.0.0.1 only, so this address refuses connections.
			nowhere: tokens.origin.replace('127.0.0.1', '127.0.0.2'),
			...room.login,
		};
	};
	const door = await serve(
		allowEveryOrigin((_request, {method, path, body}): Answer => {
			if (path === '/open') return Response.json(open(JSON.parse(body) as Script));
			const [, id = '', verb = ''] = path.split('/');
			const room = rooms.get(id);
			if (!room) return {status: 404};
			if (method === 'GET' && verb === 'log') return Response.json(room.log());
			if (verb !== 'mend' && verb !== 'release' && verb !== 'expire') return {status: 404};
			room[verb]();
			return Response.json(null);
		}),
	);
	return {
		door: door.origin,
		strays,
		async close() {
			await Promise.all([tokens, api, elsewhere, door].map(({close}) => close()));
		},
	};
}
