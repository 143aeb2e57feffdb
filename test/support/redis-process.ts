// A process that holds a session in Redis and carries out orders. `startProcess` starts it.
import process from 'node:process';
import {createClient} from 'redis';
import {type Auth, createAuth, isRegrantError, type TokenSet, type TokenStore} from '../../src/index.ts';
import {redisDriver} from '../../src/stores/redis-driver.ts';
import {sharedStore} from '../../src/stores/shared/shared-store.ts';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';
import type {Answer, Order, Place, Point, ProcessOptions} from './redis-processes.ts';

const {url, tokenEndpoint, revocationEndpoint, api, clientId} = JSON.parse(process.argv[2] ?? '') as ProcessOptions; // written by `startProcess`
const tell = (answer: Answer): void => void process.send?.(answer);

const client = createClient({url, disableOfflineQueue: true});
client.on('error', () => {});
await client.connect();

let pauseAt: Point | undefined;
let go: (() => void) | undefined;
/** If an order wants the process to pause at this point, waits until it may go on. */
async function reach(point: Point): Promise<void> {
	if (pauseAt !== point) return;
	pauseAt = undefined;
	await new Promise<void>(resolve => {
		go = resolve;
		tell({reached: point});
	});
}

/** True if the token endpoint has answered since the lock was acquired. */
let isAnswered = false;

function createStore({key, lease}: Place): TokenStore {
	const inner = redisDriver(client, key, {lease});
	let isInside = false;
	const slowed: StoreDriver = {
		...inner,
		get: async () => {
			const found = await inner.get();
			if (isInside) await reach('held');
			return found;
		},
		replace: async (found, token) => {
			// Before a session sends a refresh token, it writes the record unchanged. That write is not the point `writing`.
			if (isAnswered) await reach('writing');
			const isWritten = (await inner.replace?.(found, token)) ?? false;
			if (isAnswered) await reach('written');
			return isWritten;
		},
		lock: async (task, signal) => {
			const hold = async (isHeld?: () => boolean): ReturnType<typeof task> => {
				isInside = true;
				isAnswered = false;
				try {
					return await task(isHeld);
				} finally {
					isInside = false;
				}
			};
			// The lock is requested all the same. A test that needs the process to wait holds the lock itself.
			void reach('waiting');
			return inner.lock ? inner.lock(hold, signal) : hold();
		},
	};
	return sharedStore(slowed);
}

function open(place: Place): Auth {
	const auth = createAuth({
		tokenEndpoint,
		revocationEndpoint,
		clientId,
		origins: [api],
		store: createStore(place),
		fetch: async (input, init) => {
			const isToken = input === tokenEndpoint;
			if (isToken) await reach('asking');
			const response = await fetch(input, init);
			if (isToken) {
				isAnswered = true;
				await reach('answered');
			}
			return response;
		},
	});
	auth.subscribe(event => {
		if (event.type === 'session-ended') tell({event: `session-ended ${event.reason}`});
		else if (event.type === 'status') tell({event: `status ${event.status}`});
		else tell({event: event.type === 'token' ? `token ${event.cause}` : `${event.type} ${event.error.code}`});
	});
	return auth;
}

let auth: Auth | undefined;
let driver: StoreDriver | undefined;

/** Returns whether it wrote, and whether it held the lock to the end. */
async function writeUnderLock({get, replace, lock}: StoreDriver): Promise<string> {
	const write = async (isHeld?: () => boolean): Promise<string> => {
		const found = await get();
		await reach('held');
		return `${await replace?.(found, {...(found as TokenSet), access_token: 'written'})}, ${isHeld?.()}`;
	};
	return lock ? lock(write) : write();
}

async function obey(act: Order['act']): Promise<string> {
	if (typeof act === 'object') {
		// What the session of the previous test still does is no event of this one.
		auth?.close();
		auth = open(act);
		// The session listens to the store only after its first read.
		await auth.peek();
		driver = redisDriver(client, act.key, {lease: act.lease});
		return 'open';
	}
	if (!auth || !driver) return 'not open';
	if (act === 'write') return writeUnderLock(driver);
	try {
		if (act === 'call') return String((await auth.fetch(`${api}/me`)).status);
		return (await auth[act]()).access_token;
	} catch (error) {
		if (!isRegrantError(error)) return String(error);
		const {reason = error.code} = error as {readonly reason?: string};
		return `${error.name} ${reason}`;
	}
}

process.on('message', (message: Order | 'go') => {
	if (message === 'go') {
		go?.();
		return;
	}
	pauseAt = message.pauseAt;
	void obey(message.act).then(outcome => tell({id: message.id, outcome}));
});
process.once('disconnect', () => process.exit());
tell({event: 'ready'});
