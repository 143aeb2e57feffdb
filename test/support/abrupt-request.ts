import {request as send} from 'node:http';

/** A request whose client can go as one does that is closed: with a TCP RST. A mere end goes unnoticed. */
export function sendAbruptly(url: string, headers: Readonly<Record<string, string>> = {}): () => void {
	const request = send(url, {agent: false, headers});
	request.on('error', () => {});
	request.end();
	return () => request.socket?.resetAndDestroy();
}
