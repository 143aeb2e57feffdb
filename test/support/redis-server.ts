import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {connect} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';

/** A real Redis on a port of its own. It stores nothing on disk by default. */
export interface RedisServer {
	readonly url: string;
	/** Stops it and starts it again, empty, on the same port. */
	stop(): Promise<void>;
	start(): Promise<void>;
	close(): Promise<void>;
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	if (typeof address !== 'object' || !address) throw new Error('No port is free');
	return address.port;
}

const answers = async (port: number): Promise<boolean> =>
	new Promise(resolve => {
		const socket = connect(port, '127.0.0.1', () => socket.end('PING\r\n'));
		socket.once('data', data => resolve(String(data).startsWith('+PONG')));
		socket.once('error', () => resolve(false));
	});

/** Starts a Redis. */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
	const port = await freePort();
	const folder = mkdtempSync(join(tmpdir(), 'regrant-redis-'));
	const program = process.env['REDIS_SERVER_PATH'] ?? 'redis-server';
	let child: ChildProcess | undefined;
	const start = async (): Promise<void> => {
		const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
		const started = spawn(program, [...args, ...options], {stdio: 'ignore'});
		child = started;
		let failure: unknown;
		started.once('error', error => {
			failure = error;
		});
		for (let tries = 0; tries < 200; tries++) {
			if (failure) throw new Error(`${program} cannot be started: install redis-server, or set REDIS_SERVER_PATH.`);
			if (await answers(port)) return;
			await sleep(25);
		}
		throw new Error(`${program} does not answer`);
	};
	const stop = async (): Promise<void> => {
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, 'close');
		child.kill('SIGKILL');
		await gone;
	};
	await start();
	return {
		url: `redis://127.0.0.1:${port}`,
		start,
		stop,
		async close() {
			await stop();
			rmSync(folder, {recursive: true, force: true});
		},
	};
}
