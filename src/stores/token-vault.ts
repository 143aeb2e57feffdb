import {
	longestLease,
	readMessage,
	type VaultAnswer,
	vaultAddress,
	vaultMark,
	type VaultMessage,
} from './vault-message.ts';

/** The part of a Durable Object's storage that is used here. */
export interface VaultStorage {
	/** Reads a value. */
	get(name: string): Promise<unknown>;
	/** Writes a value. */
	put(name: string, value: unknown): Promise<void>;
	/** Deletes a value. */
	delete(name: string): Promise<unknown>;
	/** Returns when the alarm is due, in milliseconds since the epoch, or null if none is set. */
	getAlarm(): Promise<number | null>;
	/**
	Sets the alarm.

	@param time When it is due: milliseconds since the epoch.
	*/
	setAlarm(time: number): Promise<void>;
	/** Unsets the alarm. */
	deleteAlarm(): Promise<void>;
}

/** The part of a Durable Object's state that is used here. */
export interface VaultState {
	/** Works with both kinds: on SQLite, and on key-value storage. */
	readonly storage: VaultStorage;
}

/** How long the answer to `acquire` may take, in milliseconds. Then the store has to ask again. */
const longestAnswer = 10_000;

/** How long a free lock is reserved for the first in the queue, in milliseconds. Whoever waited may be gone. */
const reservationTime = 1_000;

interface StoredLease {
	readonly owner: string;
	/** Milliseconds since the epoch, since it has to outlive this object. */
	readonly until: number;
}

/** The stored lease, unless it has run out. */
function readLease(found: unknown): StoredLease | undefined {
	const {owner, until} = Object(found) as Partial<StoredLease>;
	const left = Number(until) - Date.now();
	return typeof owner === 'string' && left > 0 && left <= longestLease ? {owner, until: Number(until)} : undefined;
}

/** The record as text. Anything else in its place counts as garbage, which an empty text is as well. */
function readText(found: unknown): string | null {
	if (found === undefined) return null;
	return typeof found === 'string' ? found : '';
}

/** What `decide` makes of a stored value: the answer, and the value to put in its place. Null deletes it, undefined leaves it. */
interface Decision<T> {
	readonly answer: T;
	readonly put?: unknown;
}

/**
Reads, decides and writes as one step. Nothing but the storage is awaited between the first line and the last, and while that is awaited,
the object's input gate holds every other event back.
*/
async function change<T>(
	storage: VaultStorage,
	name: 'record' | 'lease',
	decide: (found: unknown) => Decision<T>,
): Promise<T> {
	const {answer, put} = decide(await storage.get(name));
	if (put === null) await storage.delete(name);
	else if (put !== undefined) await storage.put(name, put);
	return answer;
}

/** The lock of one vault. */
interface VaultLock {
	acquire(owner: string, lease: number): Promise<boolean>;
	renew(owner: string, lease: number): Promise<boolean>;
	release(owner: string): Promise<boolean>;
}

/** Creates the lock: it goes to whoever has waited longest. */
function createVaultLock(storage: VaultStorage): VaultLock {
	/** Who waits, in order, and how to have each ask again. This is not stored: whoever waits asks again after a restart. */
	const queue = new Map<string, () => void>();
	/** For whom the free lock is reserved: the first in the queue. */
	let reservation: StoredLease | undefined;
	let timer: ReturnType<typeof setTimeout> | undefined;

	/** Reserves a free lock for the first in the queue, and comes back when that lock or that reservation runs out. */
	const serveQueue = async (): Promise<void> => {
		const held = readLease(await storage.get('lease'));
		const now = Date.now();
		clearTimeout(timer);
		if (held) reservation = undefined;
		if (reservation && reservation.until <= now) {
			queue.delete(reservation.owner);
			reservation = undefined;
		}
		const [next] = queue.keys();
		if (next === undefined) return;
		if (!held && reservation?.owner !== next) {
			reservation = {owner: next, until: now + reservationTime};
			queue.get(next)?.();
		}
		const {until} = held ?? reservation ?? {until: now};
		// If the storage fails here, it fails for those who ask as well.
		timer = setTimeout(() => void serveQueue().catch(() => {}), until - now);
	};

	/** Waits until this owner should ask again. Its place in the queue stays. */
	const waitInQueue = async (owner: string): Promise<void> => {
		let late: ReturnType<typeof setTimeout> | undefined;
		const called = new Promise<void>(resolve => {
			late = setTimeout(resolve, longestAnswer);
			queue.set(owner, resolve);
		});
		await serveQueue();
		await called;
		clearTimeout(late);
	};

	/** Changes the lease if it is this owner's. It still is after it has run out, until somebody else acquires it. */
	const changeOwn = async (owner: string, put: StoredLease | null): Promise<boolean> =>
		change(storage, 'lease', found =>
			(Object(found) as Partial<StoredLease>).owner === owner ? {answer: true, put} : {answer: false},
		);

	return {
		acquire: async (owner, lease) => {
			const isAcquired = await change(storage, 'lease', found => {
				const [next = owner] = queue.keys();
				if ((readLease(found)?.owner ?? next) !== owner) return {answer: false};
				queue.delete(owner);
				return {answer: true, put: {owner, until: Date.now() + lease}};
			});
			// Never gives the lock to an owner that had to wait, since it may be gone: it is told to ask again.
			await (isAcquired ? serveQueue() : waitInQueue(owner));
			return isAcquired;
		},
		renew: async (owner, lease) => changeOwn(owner, {owner, until: Date.now() + lease}),
		release: async owner => {
			queue.delete(owner);
			const isReleased = await changeOwn(owner, null);
			await serveQueue();
			return isReleased;
		},
	};
}

/** Has the record deleted `ttl` milliseconds from now, or never. */
async function scheduleExpiry(storage: VaultStorage, ttl: number | undefined): Promise<void> {
	if (ttl !== undefined) await storage.setAlarm(Date.now() + ttl);
	// Asked first, since changing an alarm costs a write and reading it does not.
	else if ((await storage.getAlarm()) !== null) await storage.deleteAlarm();
}

function createVault(storage: VaultStorage): (message: VaultMessage) => Promise<VaultAnswer> {
	const lock = createVaultLock(storage);

	const write = async (
		{text, ttl}: Extract<VaultMessage, {readonly text: string | null}>,
		isExpected: (present: string | null) => boolean,
	): Promise<boolean> => {
		const isWritten = await change(storage, 'record', found =>
			isExpected(readText(found)) ? {answer: true, put: text} : {answer: false},
		);
		if (isWritten) await scheduleExpiry(storage, text === null ? undefined : ttl);
		return isWritten;
	};

	return async message => {
		switch (message.op) {
			case 'read':
				return readText(await storage.get('record'));
			case 'write':
				return write(message, () => true);
			case 'compareAndSet':
				// It may be there already: the store asks again if it got no answer.
				return write(message, present => present === message.found || (present !== null && present === message.text));
			case 'acquire':
				return lock.acquire(message.owner, message.lease);
			case 'renew':
				return lock.renew(message.owner, message.lease);
			case 'release':
				return lock.release(message.owner);
			default:
				message satisfies never;
				return false;
		}
	};
}

/**
The Durable Object that keeps one session, and gives its lock to one isolate at a time. Your worker exports the class under the name
that its configuration binds, and `durableObjectStore` talks to it. It works at every compatibility date, and in both kinds of storage.

The record and the lease are both stored, so an object that was evicted or moved goes on where it was. It answers nobody but its own
store: a request from outside that your worker passes on gets a 404.

@example
```jsonc
// wrangler.jsonc, for a worker with `export {TokenVault} from 'regrant/cloudflare'`
"durable_objects": {"bindings": [{"name": "VAULT", "class_name": "TokenVault"}]},
"migrations": [{"tag": "v1", "new_sqlite_classes": ["TokenVault"]}]
```
*/
export class TokenVault {
	/** Only for the types that `wrangler` generates for a worker. */
	declare readonly __DURABLE_OBJECT_BRAND: never;
	readonly #storage: VaultStorage;
	readonly #answer: (message: VaultMessage) => Promise<VaultAnswer>;

	/** Takes what the platform creates an object with. */
	constructor({storage}: VaultState) {
		this.#storage = storage;
		this.#answer = createVault(storage);
	}

	/** Answers its store. */
	async fetch(request: Request): Promise<Response> {
		const {cf} = request as {readonly cf?: unknown};
		const isMarked = Object.hasOwn(Object(cf), vaultMark);
		if (!isMarked || request.method !== 'POST' || request.url !== vaultAddress)
			return new Response(null, {status: 404});
		const message = readMessage(await request.text());
		if (!message) return new Response(null, {status: 400});
		return Response.json(await this.#answer(message));
	}

	/** Deletes a record whose `ttl` has passed. The platform calls it. A refresh that is under way is waited for. */
	async alarm(): Promise<void> {
		const held = readLease(await this.#storage.get('lease'));
		if (held) await this.#storage.setAlarm(held.until);
		else await this.#storage.delete('record');
	}
}
