import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
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

/** How many ports are tried, and how many milliseconds a server gets to answer at one of them. */
const tries = 20;
const patience = 60_000;

/** Asks the server at this port for its folder. Resolves with its whole answer, which is empty if there is none. */
const folderAt = async (port: number): Promise<string> =>
	new Promise(resolve => {
		const socket = connect(port, '127.0.0.1', () => socket.end('CONFIG GET dir\r\n'));
		let answer = '';
		socket.on('data', data => (answer += String(data)));
		socket.once('error', () => {});
		socket.once('close', () => resolve(answer));
	});

/** Starts a Redis. */
export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
	const folder = mkdtempSync(join(tmpdir(), 'regrant-redis-'));
	const program = process.env['REDIS_SERVER_PATH'] ?? 'redis-server';
	let child: ChildProcess | undefined;

	/** Starts the program. Resolves with false if it ends at once, because another program has the port. */
	const startAt = async (port: number): Promise<boolean> => {
		const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
		const started = spawn(program, [...args, ...options], {stdio: 'ignore'});
		child = started;
		let failure: unknown;
		started.once('error', error => {
			failure = error;
		});
		for (const end = performance.now() + patience; performance.now() < end; await sleep(25)) {
			if (failure) throw new Error(`${program} cannot be started: install redis-server, or set REDIS_SERVER_PATH.`);
			if (started.exitCode !== null || started.signalCode !== null) return false;
			// The server of another test may answer at this port. It has another folder.
			if ((await folderAt(port)).includes(basename(folder))) return true;
		}
		throw new Error(`${program} does not answer`);
	};

	const findPort = async (): Promise<number> => {
		for (let count = 0; count < tries; count++) {
			const port = await freePort();
			if (await startAt(port)) return port;
		}
		throw new Error(`${program} finds no port`);
	};

	const stop = async (): Promise<void> => {
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = once(child, 'close');
		child.kill('SIGKILL');
		await gone;
	};
	const port = await findPort();
	return {
		url: `redis://127.0.0.1:${port}`,
		async start() {
			if (!(await startAt(port))) throw new Error(`${program} has lost its port`);
		},
		stop,
		async close() {
			await stop();
			rmSync(folder, {recursive: true, force: true});
		},
	};
}
