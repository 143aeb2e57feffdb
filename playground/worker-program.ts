import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {type AuthorizationServer, servicePost} from './authorization-server.ts';
import {type Door, openDoor} from './door.ts';
import {createLane, type Lane} from './page/lane.ts';
import type {Report} from './page/report.ts';
import {countOutcomes, explain, noteLog, type Program} from './program.ts';
import type {HostNews, HostOrder} from './worker-host.ts';

const isolates = 3;
const calls = 40;

/** `worker.ts` in workerd: several isolates, as if on as many machines, that share a session by a Durable Object. */
export function createWorkerProgram(server: AuthorizationServer, report: (report: Report) => void): Program {
	const events = createLane('worker', 'the worker', report);
	let host: ChildProcess | undefined;
	let origins: Promise<readonly string[]> | undefined;
	let doors: readonly Door[] = [];

	const start = async (): Promise<readonly string[]> => {
		const names = Array.from({length: isolates}, (_, index) => `isolate ${index + 1}`);
		if (doors.length === 0) {
			doors = await Promise.all(names.map(name => openDoor(server, createLane('worker', name, report))));
		}
		const order: HostOrder = {
			env: doors.map(({env}) => ({...env, CLIENT_ID: servicePost.clientId, CLIENT_SECRET: servicePost.secret})),
		};
		host = fork(`${import.meta.dirname}/worker-host.ts`, {stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
		host.once('exit', () => {
			origins = undefined;
		});
		host.send(order);
		return originsOf(host, events);
	};

	return {
		async run() {
			try {
				const at = await (origins ??= start());
				const statuses = Array.from({length: calls}, async (_, index) => {
					const {status} = await fetch(`${at[index % at.length]}/accounts`);
					return `answered ${status}`;
				});
				return `through ${isolates} isolates of the worker, ${calls} sent: ${countOutcomes(await Promise.all(statuses))}`;
			} catch (error) {
				return explain('workerd', error instanceof Error ? error.message : 'it failed');
			}
		},
		async close() {
			if (host?.connected) {
				const ended = once(host, 'exit');
				host.disconnect();
				await ended;
			}
			await Promise.all(doors.map(door => door.close()));
		},
	};
}

/** Where the isolates are, once they are there. Logs go to a lane from then on. */
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
