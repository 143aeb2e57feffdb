import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';

/** The options of a process, as JSON. */
export interface ProcessOptions {
	readonly url: string;
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly api: string;
	readonly clientId: string;
}

/** The session that the process holds. */
export interface Place {
	readonly key: string;
	/** The lease in milliseconds. Undefined for the default. */
	readonly lease?: number | undefined;
}

/**
The points of a renewal at which the process can pause: when it requests the lock; with the lock, after reading the record; before the
token request; after the response; before the write; after the write.
*/
export type Point = 'waiting' | 'held' | 'asking' | 'answered' | 'writing' | 'written';

/** An order to a process. */
export interface Order {
	readonly id: number;
	/** `call` calls the API. `write` only writes the record unchanged under the lock, without a session. */
	readonly act: 'getToken' | 'refresh' | 'call' | 'write' | Place;
	readonly pauseAt?: Point | undefined;
}

/** The messages of a process. */
export type Answer =
	{readonly id: number; readonly outcome: string} | {readonly reached: Point} | {readonly event: string};

type Act = Exclude<Order['act'], Place>;

/** A process with a session in Redis. */
export interface SessionProcess {
	/** Opens the session, and forgets the previous one. */
	open(place: Place): Promise<void>;
	/** Carries out an order. Resolves with the access token or the status, or with the name of the error and its reason. */
	tell(act: Act): Promise<string>;
	/** Begins an order. Resolves when the process pauses at this point. */
	tellUntil(point: Point, act: Act): Promise<{readonly outcome: Promise<string>}>;
	/** Lets the process continue. */
	go(): void;
	/** Sends SIGSTOP and SIGCONT, as a debugger, a machine without memory or a closed laptop would. */
	stop(): void;
	resume(): void;
	/** Sends SIGKILL. Resolves when the process is gone. */
	kill(): Promise<void>;
	readonly isAlive: () => boolean;
	/** The events of the session, in short. */
	readonly events: readonly string[];
}

/** Starts a process. Resolves when it is connected. */
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
