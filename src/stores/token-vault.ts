/** As much of a Durable Object's storage as is used here. */
export interface VaultStorage {
	/** Reads. */
	get(name: string): Promise<unknown>;
	/** Writes. */
	put(name: string, value: unknown): Promise<void>;
	/** Deletes. */
	delete(name: string): Promise<unknown>;
}

/** As much of what a Durable Object is made with as is used here. */
export interface VaultState {
	/** Of either kind: on SQLite or on key-value storage. */
	readonly storage: VaultStorage;
}

/** What a store asks of its vault. A text that is null is none. */
export type VaultMessage =
	| {readonly op: 'read'}
	| {readonly op: 'write'; readonly text: string | null}
	| {readonly op: 'replace'; readonly found: string | null; readonly text: string | null}
	| {readonly op: 'take' | 'keep'; readonly owner: string; readonly lease: number}
	| {readonly op: 'free'; readonly owner: string};

/** What the vault answers: the text that was read, or whether what was asked is so. */
export type VaultAnswer = string | boolean | null;

/** The one address of every vault. It is no name of a host: a request from outside cannot bear it. */
export const vaultAddress = 'https://token-vault/';

/** The longest lease, in milliseconds. What is stored as a longer one is none. */
export const longestLease = 600_000;

/** How long one who asks for the lock is kept waiting for an answer, in milliseconds. */
const patience = 10_000;

/** How long the lock is kept for the next in line to fetch it, in milliseconds: whoever waited may be gone. */
const courtesy = 1_000;

interface Lease {
	readonly owner: string;
	/** In milliseconds since the epoch: it must outlive this object. */
	readonly until: number;
}

/** The lease that is stored, where it has not run out. */
function readLease(found: unknown): Lease | undefined {
	const {owner, until} = Object(found) as Partial<Lease>;
	const left = Number(until) - Date.now();
	return typeof owner === 'string' && left > 0 && left <= longestLease ? {owner, until: Number(until)} : undefined;
}

/** The record as text. Anything else that lies in its place is garbage, as an empty text is. */
function readText(found: unknown): string | null {
	if (found === undefined) return null;
	return typeof found === 'string' ? found : '';
}

const isTextOrNull = (value: unknown): boolean => typeof value === 'string' || value === null;
const isOwner = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Undefined for what no store asks. */
function readMessage(body: string): VaultMessage | undefined {
	let message: unknown;
	try {
		message = JSON.parse(body);
	} catch {
		// What it quotes is a part of the body.
		return undefined;
	}
	const {op, text, found, owner, lease} = Object(message) as Record<string, unknown>;
	const isLease = typeof lease === 'number' && lease > 0 && lease <= longestLease;
	const isRight =
		op === 'read' ||
		(op === 'write' && isTextOrNull(text)) ||
		(op === 'replace' && isTextOrNull(found) && isTextOrNull(text)) ||
		((op === 'take' || op === 'keep') && isOwner(owner) && isLease) ||
		(op === 'free' && isOwner(owner));
	return isRight ? (message as VaultMessage) : undefined;
}

function createVault(storage: VaultStorage): (message: VaultMessage) => Promise<VaultAnswer> {
	/** Who waits for the lock, in order, with what lets each ask again. Not stored: whoever waits asks again. */
	const line = new Map<string, () => void>();
	/** The first in line, for whom the lock is kept. */
	let called: Lease | undefined;
	let timer: ReturnType<typeof setTimeout> | undefined;

	/**
	Reads, decides and writes as one step. Nothing but the storage is awaited from its first line to its last, and while the storage
	is, the object's input gate keeps every other event out. What is put is stored, null deletes, and undefined changes nothing.
	*/
	const step = async <T>(
		name: 'record' | 'lease',
		decide: (found: unknown) => {readonly answer: T; readonly put?: unknown},
	): Promise<T> => {
		const {answer, put} = decide(await storage.get(name));
		if (put === null) await storage.delete(name);
		else if (put !== undefined) await storage.put(name, put);
		return answer;
	};

	/** Calls the next in line where the lock is free, and looks again when what it waits for is over. */
	const look = async (): Promise<void> => {
		const lent = readLease(await storage.get('lease'));
		const now = Date.now();
		clearTimeout(timer);
		if (lent) called = undefined;
		if (called && called.until <= now) {
			line.delete(called.owner);
			called = undefined;
		}
		const [next] = line.keys();
		if (next === undefined) return;
		if (!lent && called?.owner !== next) {
			called = {owner: next, until: now + courtesy};
			line.get(next)?.();
		}
		const {until} = lent ?? called ?? {until: now};
		// A storage that fails has failed those who ask, too.
		timer = setTimeout(() => void look().catch(() => {}), until - now);
	};

	/** Resolves when it is this owner's turn to ask again, or in any case after a while: its place in the line stays. */
	const turnOf = async (owner: string): Promise<void> => {
		let impatience: ReturnType<typeof setTimeout> | undefined;
		const turn = new Promise<void>(resolve => {
			impatience = setTimeout(resolve, patience);
			line.set(owner, resolve);
		});
		await look();
		await turn;
		clearTimeout(impatience);
	};

	/** Never lends to one who has waited, who may be gone: the answer is to ask again. */
	const take = async (owner: string, lease: number): Promise<boolean> => {
		const isLent = await step('lease', found => {
			const lent = readLease(found);
			const [next = owner] = line.keys();
			if ((lent?.owner ?? next) !== owner) return {answer: false};
			line.delete(owner);
			return {answer: true, put: {owner, until: Date.now() + lease}};
		});
		await (isLent ? look() : turnOf(owner));
		return isLent;
	};

	/** Where the lease is this owner's. One that has run out still is, until somebody else has taken it. */
	const change = async (owner: string, put: Lease | null): Promise<boolean> =>
		step('lease', found => ((Object(found) as Partial<Lease>).owner === owner ? {answer: true, put} : {answer: false}));

	const free = async (owner: string): Promise<boolean> => {
		line.delete(owner);
		const isFreed = await change(owner, null);
		await look();
		return isFreed;
	};

	return async message => {
		switch (message.op) {
			case 'read':
				return step('record', found => ({answer: readText(found)}));
			case 'write':
				return step('record', () => ({answer: true, put: message.text}));
			case 'replace':
				return step('record', found => {
					const text = readText(found);
					// Asked twice, since the first answer was lost.
					if (text !== null && text === message.text) return {answer: true};
					return text === message.found ? {answer: true, put: message.text} : {answer: false};
				});
			case 'take':
				return take(message.owner, message.lease);
			case 'keep':
				return change(message.owner, {owner: message.owner, until: Date.now() + message.lease});
			case 'free':
				return free(message.owner);
			default:
				message satisfies never;
				return false;
		}
	};
}

/**
The Durable Object that keeps one session, and lends its lock to one isolate at a time. The class is the platform's: a worker exports it
under the name that its configuration binds, and `durableObjectStore` talks to it. It works at every compatibility date, and in storage
of either kind.

Both the record and the lease are stored, so that an object that was evicted, or moved, goes on where it was. Only what runs in
your worker can reach it, and it answers nothing but its own store: a request from outside that a worker passes on gets a 404.

@example
```jsonc
// wrangler.jsonc, for a worker with `export {TokenVault} from 'regrant/cloudflare'`
"durable_objects": {"bindings": [{"name": "VAULT", "class_name": "TokenVault"}]},
"migrations": [{"tag": "v1", "new_sqlite_classes": ["TokenVault"]}]
```
*/
export class TokenVault {
	/** For the types that `wrangler` makes of a worker: it stands for nothing. */
	declare readonly __DURABLE_OBJECT_BRAND: never;
	readonly #answer: (message: VaultMessage) => Promise<VaultAnswer>;

	/** Takes what the platform makes an object with. */
	constructor({storage}: VaultState) {
		this.#answer = createVault(storage);
	}

	/** Answers its store. */
	async fetch(request: Request): Promise<Response> {
		if (request.method !== 'POST' || request.url !== vaultAddress) return new Response(null, {status: 404});
		const message = readMessage(await request.text());
		if (!message) return new Response(null, {status: 400});
		return Response.json(await this.#answer(message));
	}
}
