import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {freePort} from './free-port.ts';

/** A real Redis on a port of its own. It stores nothing on disk by default. */
export interface RedisServer {
	readonly url: string;
	/** Stops it and starts it again, empty, on the same port. */
	stop(): Promise<void>;
	start(): Promise<void>;
	close(): Promise<void>;
}

const answers = async (port: number): Promise<boolean> =>
	new Promise(resolve => {
		const socket = connect(port, '127.0.0.1', () => socket.end('PING\r\n'));
		socket.once('data', data => resolve(String(data).startsWith('+PONG')));
		socket.once('error', () => resolve(false));
		socket.once('close', () => resolve(false));
	});

/** How long a busy machine may take to start it, in milliseconds. */
const longestStart = 30_000;

/** Starts a Redis. */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
	let port = await freePort();
	const folder = mkdtempSync(join(tmpdir(), 'regrant-redis-'));
	const program = process.env['REDIS_SERVER_PATH'] ?? 'redis-server';
	let child: ChildProcess | undefined;
	const isOver = (): boolean => !child || child.exitCode !== null || child.signalCode !== null;
	/** Returns false if the program has ended, as it does when another program has taken its port. */
	const run = async (): Promise<boolean> => {
		const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
		const started = spawn(program, [...args, ...options], {stdio: 'ignore'});
		child = started;
		let failure: unknown;
		started.once('error', error => {
			failure = error;
		});
		const begun = performance.now();
		while (performance.now() - begun < longestStart) {
			if (failure) throw new Error(`${program} cannot be started: install redis-server, or set REDIS_SERVER_PATH.`);
			if (isOver()) return false;
			if (await answers(port)) return true;
			await sleep(25);
		}
		throw new Error(`${program} does not answer`);
	};
	const start = async (): Promise<void> => {
		if (!(await run())) throw new Error(`${program} has ended`);
	};
	const stop = async (): Promise<void> => {
		if (!child || isOver()) return;
		const gone = once(child, 'close');
		child.kill('SIGKILL');
		await gone;
	};
	for (let tries = 0; !(await run()); tries++) {
		if (tries === 5) throw new Error(`${program} ends as soon as it is started`);
		port = await freePort();
	}
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
