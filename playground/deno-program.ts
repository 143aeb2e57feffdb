import {execFile} from 'node:child_process';
import {type AuthorizationServer, createKvFolder, deno, service} from './authorization-server.ts';
import {type Door, openDoor} from './door.ts';
import {createLane, type Lane} from './page/lane.ts';
import type {Report} from './page/report.ts';
import {countOutcomes, explain, noteLog, type Program} from './program.ts';

const scripts = 4;
const patience = 60_000;

interface Script {
	readonly lane: Lane;
	readonly door: Door;
}

/** The outcome of a script: undefined if it ended well. */
type Failure = string | undefined;

/**
Runs `deno.ts` in several processes at once. They share a token in Deno KV, also with processes that run later.

@param command Deno, and how it runs a script.
*/
export function createDenoProgram(
	server: AuthorizationServer,
	report: (report: Report) => void,
	[command, ...flags]: readonly [string, ...string[]] = deno,
): Program {
	const leaving = new AbortController();
	const running = new Set<Promise<Failure>>();
	const kv = createKvFolder();
	let opened: Promise<readonly Script[]> | undefined;
	/** All scripts use one token endpoint. With another one, each of them would be another client, and the store would refuse it. */
	let tokenDoor: Promise<Door> | undefined;

	const open = async (index: number): Promise<Script> => {
		const lane = createLane('deno', `script ${index + 1}`, report);
		return {lane, door: await openDoor(server, lane)};
	};

	const runScript = async ({lane, door}: Script): Promise<Failure> => {
		tokenDoor ??= openDoor(server, createLane('deno', 'the scripts', report));
		const {TOKEN_ENDPOINT} = (await tokenDoor).env;
		return new Promise(resolve => {
			const client = {CLIENT_ID: service.clientId, CLIENT_SECRET: service.secret};
			const env = {...process.env, ...door.env, TOKEN_ENDPOINT, ...client, KV: kv.file};
			const options = {env, timeout: patience, killSignal: 'SIGKILL', signal: leaving.signal} as const;
			execFile(command, [...flags, `${import.meta.dirname}/deno.ts`], options, (error, _output, problems) => {
				const lines = problems.split('\n').filter(line => line !== '');
				const events = lines.filter(line => line.startsWith('{'));
				for (const event of events) noteLog(lane, event);
				resolve(
					error ? (lines.find(line => /error/i.test(line) && !events.includes(line)) ?? error.message) : undefined,
				);
			});
		});
	};

	const follow = async (script: Script): Promise<Failure> => {
		const ended = runScript(script);
		running.add(ended);
		const failure = await ended;
		running.delete(ended);
		return failure;
	};

	return {
		async run() {
			opened ??= Promise.all(Array.from({length: scripts}, (_, index) => open(index)));
			const failures = await Promise.all((await opened).map(follow));
			const [failure] = failures;
			if (failure !== undefined && failures.every(other => other !== undefined)) return explain('Deno', failure);
			return `${scripts} Deno scripts: ${countOutcomes(failures.map(other => other ?? 'answered'))}`;
		},
		async close() {
			leaving.abort();
			await Promise.all(running);
			await Promise.all(((await opened) ?? []).map(({door}) => door.close()));
			await (await tokenDoor)?.close();
			kv.remove();
		},
	};
}
