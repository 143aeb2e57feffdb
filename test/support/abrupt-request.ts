import {request as send} from 'node:http';

/**
Sends a request, and returns a function that resets its TCP connection, as when a client is killed. Servers do not notice a normal close.
*/
export function sendAbruptly(url: string, headers: Readonly<Record<string, string>> = {}): () => void {
	const request = send(url, {agent: false, headers});
	request.on('error', () => {});
	request.end();
	return () => request.socket?.resetAndDestroy();
}
