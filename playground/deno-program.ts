import {execFile} from 'node:child_process';
import {type AuthorizationServer, createKvFolder, deno, service} from './authorization-server.ts';
import {type Door, openDoor} from './door.ts';
import {createLane, type Lane} from './page/lane.ts';
import type {Report} from './page/report.ts';
import {countOutcomes, noteLog, type Program} from './program.ts';

const scripts = 4;
const patience = 60_000;

interface Script {
	readonly lane: Lane;
	readonly door: Door;
}

/** `deno.ts` in as many processes at once, which share a token by Deno KV: also with those that run later. */
export function createDenoProgram(server: AuthorizationServer, report: (report: Report) => void): Program {
	const leaving = new AbortController();
	const running = new Set<Promise<string>>();
	const kv = createKvFolder();
	let known: Promise<readonly Script[]> | undefined;

	const openDoors = async (): Promise<readonly Script[]> =>
		Promise.all(
			Array.from({length: scripts}, async (_, index) => {
				const lane = createLane('deno', `script ${index + 1}`, report);
				return {lane, door: await openDoor(server, lane)};
			}),
		);

	const runScript = ({lane, door}: Script): Promise<string> => {
		const env = {
			...process.env,
			...door.env,
			CLIENT_ID: service.clientId,
			CLIENT_SECRET: service.secret,
			KV: kv.file,
		};
		const [command, ...flags] = deno;
		const ended = new Promise<string>(resolve => {
			const options = {env, timeout: patience, killSignal: 'SIGKILL', signal: leaving.signal} as const;
			execFile(command, [...flags, `${import.meta.dirname}/deno.ts`], options, (error, _output, problems) => {
				const lines = problems.split('\n').filter(line => line !== '');
				// What ends a script is said in the end, and is not one of its events.
				for (const line of lines) if (!error || line.startsWith('{')) noteLog(lane, line);
				resolve(error ? `failed, ${lines.find(line => /error/i.test(line)) ?? error.message}` : 'answered');
			});
		});
		running.add(ended);
		void ended.then(() => running.delete(ended));
		return ended;
	};

	return {
		async run() {
			const ready = await (known ??= openDoors());
			return `${scripts} Deno scripts: ${countOutcomes(await Promise.all(ready.map(runScript)))}`;
		},
		async close() {
			leaving.abort();
			await Promise.all(running);
			for (const {door} of (await known) ?? []) await door.close();
			kv.remove();
		},
	};
}
