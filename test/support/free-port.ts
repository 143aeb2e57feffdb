import {once} from 'node:events';
import {createServer} from 'node:net';

/**
The ports from which one is chosen. Systems give ports from 32,768 on to whoever asks for any port, so one of those could be given away
between its choice and its use. A node of a Redis cluster also takes the port that is higher by 10,000.
*/
const [lowest, end] = [12_000, 22_768];

/** Whether nobody listens on this port of loopback. */
async function isFree(port: number): Promise<boolean> {
	const server = createServer();
	try {
		await once(server.listen(port, '127.0.0.1'), 'listening');
	} catch {
		return false;
	}
	server.close();
	await once(server, 'close');
	return true;
}

/** Returns a port of loopback for a program that cannot choose one by itself. */
export async function freePort(): Promise<number> {
	for (let tries = 0; tries < 100; tries++) {
		const port = lowest + Math.floor(Math.random() * (end - lowest));
		if (await isFree(port)) return port;
	}
	throw new Error('No port is free');
}
