// One of many processes that share a session. Its callers use the session until the process is told to stop.
import process from 'node:process';
import {createAuth, isRegrantError} from '../../src/index.ts';
import {denoKvDriver} from '../../src/stores/deno-kv-driver.ts';
import {fileDriver} from '../../src/stores/file-driver.ts';
import {redisDriver} from '../../src/stores/redis-driver.ts';
import {sharedStore} from '../../src/stores/shared/shared-store.ts';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';
import type {Counts} from './counts.ts';

/** The options of this process, as JSON. */
export interface HolderOptions {
	readonly store: 'redis' | 'ioredis' | 'deno-kv' | 'file';
	/** The URL of Redis, the path of a file, or the path of a folder for the files of a Deno KV. */
	readonly place: string;
	readonly key: string;
	readonly lease: number;
	/** Disables the lock and compare-and-set. */
	readonly isUnlocked: boolean;
	readonly callers: number;
	/** The deadline of a token request, in milliseconds. */
	readonly timeout: number;
	/** Lets the clock of the process jump at random, further than any back-off. */
	readonly clockJumps: boolean;
	readonly tokenEndpoint: string;
	readonly api: string;
	readonly name: string;
}

/** What the process has done so far. It prints this now and then, as one line of JSON. */
export interface HolderReport {
	readonly calls: number;
	/** The outcomes of its calls. */
	readonly outcomes: Readonly<Counts>;
	/** How long it waited for the lock, each time, in milliseconds. */
	readonly waits: readonly number[];
}

interface DenoGlobal {
	openKv(path: string): Promise<Parameters<typeof denoKvDriver>[0]>;
}

const options = JSON.parse(process.argv[2] ?? '') as HolderOptions; // written by crowd.ts

async function openDriver({store, place, key, lease}: HolderOptions): Promise<StoreDriver> {
	if (store === 'file') return fileDriver(`${place}/${key}`, {lease});
	if (store === 'deno-kv') {
		const {Deno} = globalThis as unknown as {readonly Deno: DenoGlobal}; // only Deno runs this branch
		for (;;) {
			try {
				return denoKvDriver(await Deno.openKv(place), [key], {lease});
			} catch (error) {
				// If two processes open the file at the same time, one of them fails.
				if (!String(error).includes('database is locked')) throw error;
			}
		}
	}
	if (store === 'redis') {
		const {createClient} = await import('redis');
		const client = createClient({url: place});
		client.on('error', () => {});
		await client.connect();
		return redisDriver(client, key, {lease});
	}
	const {Redis} = await import('ioredis');
	return redisDriver(new Redis(place), key, {lease});
}

const inner = await openDriver(options);
const waits: number[] = [];
const outcomes: Counts = {};
let calls = 0;
const {lock} = inner;
const {lock: _, replace: __, ...unlocked} = inner;
const locked: StoreDriver = {
	...inner,
	lock: (task, signal) => {
		const asked = performance.now();
		const begin = (isHeld?: () => boolean): ReturnType<typeof task> => {
			waits.push(Math.round(performance.now() - asked));
			return task(isHeld);
		};
		return lock ? lock(begin, signal) : begin();
	},
};
const store = sharedStore(options.isUnlocked ? unlocked : locked);

let offset = 0;
const auth = createAuth({
	now: () => Date.now() + offset,
	tokenEndpoint: options.tokenEndpoint,
	clientId: 'app',
	origins: [options.api],
	store,
	timeout: options.timeout,
	// Tells the server which process asks, and since when it has been waiting.
	fetch: async (input, init) => {
		const headers = new Headers(init?.headers);
		headers.set('x-holder', options.name);
		headers.set('x-sent', String(Date.now()));
		return fetch(input, {...init, headers});
	},
});

let isOver = false;
const pause = (milliseconds: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, milliseconds));

async function call(): Promise<void> {
	while (!isOver) {
		let outcome: string;
		if (options.clockJumps && Math.random() < 0.02) offset += (Math.random() - 0.25) * 120_000;
		try {
			const before = await auth.peek();
			const response = await auth.fetch(`${options.api}/me`);
			await response.body?.cancel();
			outcome = String(response.status);
			// The API accepts a token only for a moment. On a busy machine, a renewed one may be refused at its first use, and then no call
			// renews it for a minute. So its callers ask for another one.
			if (outcome === '401' && before) await auth.refresh({instead: before.access_token}).catch(() => {});
		} catch (error) {
			outcome = isRegrantError(error) ? error.code : String(error);
		}
		calls++;
		outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
		if (options.clockJumps && outcome !== '200' && Math.random() < 0.1) offset += Math.random() * 120_000;
		await pause(150 + Math.random() * 450);
	}
}

const say = (): void => console.log(JSON.stringify({calls, outcomes, waits} satisfies HolderReport));
const telling = setInterval(say, 250);
process.stdin.resume();
process.stdin.once('end', () => {
	isOver = true;
});
await Promise.all(Array.from({length: options.callers}, call));
clearInterval(telling);
say();
process.exit(0);
