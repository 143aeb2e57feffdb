import {once} from 'node:events';
import {createServer} from 'node:net';

/** Systems give ports from here on to whoever asks for any port. Between the choice of such a port and its use, it could be given away. */
const [lowest, firstOfSystem] = [12_000, 32_768];

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
		const port = lowest + Math.floor(Math.random() * (firstOfSystem - lowest));
		if (await isFree(port)) return port;
	}
	throw new Error('No port is free');
}
