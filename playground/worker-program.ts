import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import {type AuthorizationServer, sendAbruptly, servicePost} from './authorization-server.ts';
import {type Door, openDoor} from './door.ts';
import {createLane, type Lane} from './page/lane.ts';
import type {Report} from './page/report.ts';
import {countOutcomes, explain, noteLog, type Program} from './program.ts';
import type {HostNews, HostOrder} from './worker-host.ts';

const isolates = 3;
const calls = 40;

/** The Worker. Its clients can also hang up. */
export interface WorkerProgram extends Program {
	/** The same, but half of the clients hang up while the token is being renewed, beginning with the first ones. */
	hangUp(): Promise<string>;
}

/** Runs `worker.ts` in workerd, in several isolates that share a session in a Durable Object, as if each ran on a machine of its own. */
export function createWorkerProgram(server: AuthorizationServer, report: (report: Report) => void): WorkerProgram {
	const events = createLane('worker', 'the worker', report);
	let host: ChildProcess | undefined;
	let origins: Promise<readonly string[]> | undefined;
	let doors: readonly Door[] = [];
	/** All isolates use one token endpoint. With another one, each of them would be another client, and the store would refuse it. */
	let tokenDoor: Door | undefined;

	const start = async (): Promise<readonly string[]> => {
		const names = Array.from({length: isolates}, (_, index) => `isolate ${index + 1}`);
		if (doors.length === 0) {
			doors = await Promise.all(names.map(name => openDoor(server, createLane('worker', name, report))));
		}
		tokenDoor ??= await openDoor(server, events);
		const {TOKEN_ENDPOINT} = tokenDoor.env;
		const order: HostOrder = {
			env: doors.map(({env}) => ({
				...env,
				TOKEN_ENDPOINT,
				CLIENT_ID: servicePost.clientId,
				CLIENT_SECRET: servicePost.secret,
			})),
		};
		host = fork(`${import.meta.dirname}/worker-host.ts`, {stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
		host.send(order);
		return originsOf(host, events);
	};

	/** Runs something with the isolates. They are started when they are first needed. */
	const at = async (work: (urlOf: (index: number) => string) => Promise<string>): Promise<string> => {
		try {
			origins ??= start();
			const known = await origins;
			const outcome = await work(index => `${known[index % known.length]}/accounts`);
			return `through ${isolates} isolates of the worker, ${outcome}`;
		} catch (error) {
			// The next call tries to start them again: what was missing may have been installed meanwhile.
			if (!host?.connected) origins = undefined;
			return explain('workerd', error instanceof Error ? error.message : 'it failed');
		}
	};

	return {
		run: () => at(async urlOf => `${calls} sent: ${await send(calls, urlOf)}`),
		hangUp: () =>
			at(async urlOf => {
				const before = server.tokenRequests.length;
				const leavers = Array.from({length: calls / 2}, (_, index) => sendAbruptly(urlOf(index)));
				const stayed = send(calls / 2, urlOf);
				for (let tries = 0; tries < 50 && server.tokenRequests.length === before; tries++) await sleep(20);
				for (const leave of leavers) leave();
				return `${calls / 2} hung up, ${calls / 2} stayed: ${await stayed}`;
			}),
		async close() {
			if (host?.connected) {
				const ended = once(host, 'exit');
				host.disconnect();
				await ended;
			}
			await Promise.all(doors.map(door => door.close()));
			await tokenDoor?.close();
		},
	};
}

async function send(count: number, urlOf: (index: number) => string): Promise<string> {
	const answers = await Promise.all(Array.from({length: count}, (_, index) => fetch(urlOf(index))));
	return countOutcomes(answers.map(({status}) => `answered ${status}`));
}

/** The addresses of the isolates, once they run. From then on, their logs go to a lane. */
async function originsOf(host: ChildProcess, lane: Lane): Promise<readonly string[]> {
	let problems = '';
	host.stderr?.on('data', chunk => (problems += chunk));
	return new Promise((resolve, reject) => {
		host.on('message', (news: HostNews) => {
			if ('log' in news) noteLog(lane, news.log);
			else resolve(news.origins);
		});
		host.once('error', reject);
		host.once('exit', () => reject(new Error(/^\w*Error.*$/m.exec(problems)?.[0] ?? 'its process ended')));
	});
}
