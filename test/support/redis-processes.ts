import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';

/** What a process gets when it starts. */
export interface ProcessOptions {
	readonly url: string;
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly api: string;
	readonly clientId: string;
}

/** Which session it is to hold. */
export interface Place {
	readonly key: string;
	/** In milliseconds. Undefined for the default. */
	readonly lease?: number | undefined;
}

/**
The points at which a renewal can be stopped: while it waits for the lock; with the lock, after reading the record; before the token
request; with the answer; before the write; after the write.
*/
export type Point = 'waiting' | 'held' | 'asking' | 'answered' | 'writing' | 'written';

/** What a process is to do. */
export interface Order {
	readonly id: number;
	/** A `call` is one of the API. `write` takes the lock and writes the record over itself, without a session. */
	readonly act: 'getToken' | 'refresh' | 'call' | 'write' | Place;
	readonly pauseAt?: Point | undefined;
}

/** What it tells. */
export type Answer =
	{readonly id: number; readonly outcome: string} | {readonly reached: Point} | {readonly event: string};

type Act = Exclude<Order['act'], Place>;

/** A process with a session in Redis. */
export interface SessionProcess {
	/** Begins with the session there, and forgets another one. */
	open(place: Place): Promise<void>;
	/** Resolves with the access token or the status, or with the name of the error and its reason. */
	tell(act: Act): Promise<string>;
	/** Begins the same, and resolves when it stands still at the point. */
	tellUntil(point: Point, act: Act): Promise<{readonly outcome: Promise<string>}>;
	/** Lets it go on from there. */
	go(): void;
	/** SIGSTOP and SIGCONT, as a debugger, a full machine or a laptop's lid would. */
	stop(): void;
	resume(): void;
	/** SIGKILL. Resolves when it is gone. */
	kill(): Promise<void>;
	readonly isAlive: () => boolean;
	/** The gist of the session's events. */
	readonly events: readonly string[];
}

/** Starts one. Resolves when it is connected. */
export async function startProcess(options: ProcessOptions): Promise<SessionProcess> {
	const script = fileURLToPath(new URL('redis-process.ts', import.meta.url));
	const child: ChildProcess = fork(script, [JSON.stringify(options)], {execArgv: []});
	const events: string[] = [];
	const answers = new Map<number, (outcome: string) => void>();
	let orders = 0;
	let reached = Promise.withResolvers<void>();
	const ready = new Promise<void>((resolve, reject) => {
		child.once('exit', () => reject(new Error('The process ended before it was ready')));
		child.on('message', (answer: Answer) => {
			if ('reached' in answer) reached.resolve();
			else if ('outcome' in answer) answers.get(answer.id)?.(answer.outcome);
			else if (answer.event === 'ready') resolve();
			else events.push(answer.event);
		});
	});
	const give = async (order: Omit<Order, 'id'>): Promise<string> =>
		new Promise(resolve => {
			answers.set(++orders, resolve);
			child.send({...order, id: orders} satisfies Order);
		});
	await ready;
	const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
	return {
		async open(place) {
			await give({act: place});
			events.length = 0;
		},
		tell: async act => give({act}),
		async tellUntil(pauseAt, act) {
			reached = Promise.withResolvers();
			const outcome = give({act, pauseAt});
			await reached.promise;
			return {outcome};
		},
		go: () => void child.send('go'),
		stop: () => void child.kill('SIGSTOP'),
		resume: () => void child.kill('SIGCONT'),
		async kill() {
			if (!isAlive()) return;
			const over = once(child, 'exit');
			child.kill('SIGKILL');
			await over;
		},
		isAlive,
		events,
	};
}
