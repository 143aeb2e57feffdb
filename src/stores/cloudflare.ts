import {ConfigError, StoreError} from '../errors.ts';
import {type LeaseOptions, leaseOf, underLease} from './shared/lease.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {createRecordText} from './shared/record-text.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {TokenStore} from './token-cell.ts';
import {longestLease, type VaultMessage, vaultAddress} from './token-vault.ts';

export {TokenVault} from './token-vault.ts';
export type {VaultState, VaultStorage} from './token-vault.ts';

export type {LeaseOptions} from './shared/lease.ts';

/** What a `TokenVault` is sent. */
export interface VaultRequest {
	/** Every message is a POST. */
	readonly method: 'POST';
	/** JSON. */
	readonly body: string;
	/** An `AbortSignal` or null. Cloudflare's types and those of browsers do not agree on what that is. */
	readonly signal: never;
}

/** As much of an answer of a `TokenVault` as is used here. */
export interface VaultResponse {
	/** Whether the HTTP status is one of success. */
	readonly ok: boolean;
	/** Reads the body: JSON. */
	text(): PromiseLike<string>;
}

/** A stub of a `TokenVault`. */
export interface VaultStub {
	/** Sends a request to the object. */
	fetch(address: string, request: VaultRequest): PromiseLike<VaultResponse>;
}

/** How often an object is asked that cannot be reached, the first pause between, and for how long, in milliseconds. */
const tries = 4;
const firstPause = 50;
const persistence = 1_000;

/**
Keeps the token in a Durable Object, for all isolates of a worker wherever they run: one request at a time renews it, under a
lease of the object that runs out where its holder is gone. Each write compares first, so that a holder that was too slow overwrites nothing.

Every call asks the object, and hears of a change that way: there is no subscription, since nothing that one request of a
Worker has opened may be used by the next. An object that is just being restarted is asked again. Give `createAuth` the
`waitUntil` of `cloudflare:workers`, too: a grant that dies with its request may take a rotated refresh token along.

Not for Workers KV: what is written there can be seen elsewhere a minute late, and a rotated refresh token would be used twice. Not
for a token that only one isolate uses: a `memoryStore` is enough where every isolate has a grant of its own.

@param stub Called for each operation, since a stub that one request has made is dead in the next. One object keeps one session: name it for its user.
@throws {ConfigError} where `stub` is no function or the lease is no number of milliseconds. What it gives throws a `StoreError`
where the object cannot be reached, or cannot read or write.
@example
```ts
import {env, waitUntil} from 'cloudflare:workers';

export {TokenVault} from 'regrant/cloudflare';

const auth = createAuth({
	tokenEndpoint,
	clientId,
	store: durableObjectStore(() => env.VAULT.getByName('session')),
	waitUntil,
});
```
@see https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency
*/
export function durableObjectStore(stub: () => VaultStub, options?: LeaseOptions): TokenStore {
	if (typeof stub !== 'function') {
		throw new ConfigError('stub must be a function that gives a stub: a stub itself is dead in the next request');
	}
	const lease = leaseOf(options);
	if (lease > longestLease) throw new ConfigError(`lease must be milliseconds, ${longestLease} at most`);
	const record = createRecordText();

	/** What the object answers. Of what the platform fails with, nothing is passed on. */
	const ask = async (message: VaultMessage, signal: AbortSignal | null = null): Promise<unknown> => {
		const body = JSON.stringify(ownProperties(message));
		const request = ownProperties<VaultRequest>({method: 'POST', body, signal: signal as never}); // as the type says
		const begun = performance.now();
		for (let count = 1, pause = firstPause; ; count++, pause *= 2) {
			try {
				const answer = await stub().fetch(vaultAddress, request);
				const text = await answer.text();
				return answer.ok ? JSON.parse(text) : undefined;
			} catch {
				// What is written long after it was meant could undo what has been written since. To wait for the lock takes its time.
				const isLate = message.op !== 'take' && performance.now() - begun > persistence;
				if (count === tries || isLate || signal?.aborted) return undefined;
			}
			// The object restarts, as with every new version of the worker. To be asked twice is nothing to it.
			await new Promise(resolve => void setTimeout(resolve, pause * (0.5 + Math.random())));
		}
	};

	const read = async (): Promise<string | null> => {
		const text = await ask({op: 'read'});
		if (typeof text === 'string' || text === null) return text;
		throw new StoreError('store_read');
	};

	const tell = async (
		message: Exclude<VaultMessage, {readonly op: 'read'}>,
		signal?: AbortSignal,
	): Promise<boolean> => {
		const isDone = await ask(message, signal);
		if (typeof isDone === 'boolean') return isDone;
		// Nobody waits for the answer.
		if (signal?.aborted) return false;
		throw new StoreError('store_write');
	};

	return sharedStore(
		{
			get: async () => record.parse(await read()),
			set: async token => void (await tell({op: 'write', text: record.format(token)})),
			delete: async () => void (await tell({op: 'write', text: null})),
			replace: async (found, token) => {
				const text = record.textOf(found);
				if (text === null) return false;
				return tell({op: 'replace', found: text ?? null, text: token ? record.format(token) : null});
			},
			lock: (task, signal) =>
				underLease(
					{
						lease,
						take: owner => tell({op: 'take', owner, lease}, signal),
						keep: owner => tell({op: 'keep', owner, lease}),
						free: owner => tell({op: 'free', owner}),
					},
					task,
					signal,
				),
		},
		{isMarked: true},
	);
}
