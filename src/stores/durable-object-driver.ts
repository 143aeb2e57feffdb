import {ConfigError, StoreError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {readLease} from './shared/lease.ts';
import {leasedDriver} from './shared/text-driver.ts';
import type {StoreDriver} from './shared/store-driver.ts';
import {type ExpiringStoreOptions, readTtl} from './shared/ttl.ts';
import {longestLease, vaultAddress, vaultMark, type VaultMessage} from './vault-message.ts';

/** A message to a `TokenVault`. */
export interface VaultRequest {
	/** Every message is a POST. */
	readonly method: 'POST';
	/** JSON. */
	readonly body: string;
	/** Tells the vault that the request does not come from outside. */
	readonly cf: Record<string, unknown>;
	/** An `AbortSignal` or null. The types of Cloudflare and of browsers do not agree on what that is. */
	readonly signal: never;
}

/** The part of a vault's answer that is used here. */
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

/** How often an object that cannot be reached is asked. */
const tries = 4;
/** The first pause between two tries, in milliseconds. Each further one is twice as long. */
const firstPause = 50;
/** For how long a message is sent again, in milliseconds. A write that arrives later could undo what others have written since. */
const longestTime = 1_000;

/** The driver of `durableObjectStore`. It rejects with a `StoreError` that holds nothing of what the platform says. */
export function durableObjectDriver(stub: () => VaultStub, options?: ExpiringStoreOptions): StoreDriver {
	if (typeof stub !== 'function') {
		throw new ConfigError('stub must be a function that gives a stub: a stub itself is dead in the next request');
	}
	const lease = readLease(options);
	if (lease > longestLease) throw new ConfigError(`lease must be milliseconds, ${longestLease} at most`);
	const ttl = readTtl(options);

	/** Returns the object's answer, or undefined. */
	const send = async (message: VaultMessage, signal: AbortSignal | null = null): Promise<unknown> => {
		const request = ownProperties<VaultRequest>({
			method: 'POST',
			body: JSON.stringify(ownProperties(message)),
			cf: ownProperties({[vaultMark]: true}),
			signal: signal as never, // as the type says
		});
		const begun = performance.now();
		for (let count = 1, pause = firstPause; ; count++, pause *= 2) {
			try {
				const object: unknown = stub();
				if (typeof Object(object).fetch !== 'function') throw new ConfigError('stub gave no stub of a Durable Object');
				const answer = await (object as VaultStub).fetch(vaultAddress, request);
				const text = await answer.text();
				return answer.ok ? JSON.parse(text) : undefined;
			} catch (error) {
				if (error instanceof ConfigError) throw error;
				const isLate = message.op !== 'acquire' && performance.now() - begun > longestTime;
				if (count === tries || isLate || signal?.aborted) return undefined;
			}
			// The object restarts, for instance because the worker was deployed again. No message does harm if it arrives twice.
			await new Promise(resolve => void setTimeout(resolve, pause * (0.5 + Math.random())));
		}
	};

	const change = async (message: VaultMessage, signal?: AbortSignal): Promise<boolean> => {
		const isDone = await send(message, signal);
		if (typeof isDone === 'boolean') return isDone;
		// Nobody waits for the answer any more.
		if (signal?.aborted) return false;
		throw new StoreError('store_write');
	};

	return leasedDriver(
		{
			read: async () => {
				const text = await send({op: 'read'});
				if (typeof text === 'string' || text === null) return text;
				throw new StoreError('store_read');
			},
			write: text => change({op: 'write', text: text ?? null, ttl}),
			compareAndSet: (found, text) =>
				change({
					op: 'compareAndSet',
					found: found ?? null,
					text: text ?? null,
					ttl,
				}),
			acquire: (owner, signal) => change({op: 'acquire', owner, lease}, signal),
			renew: owner => change({op: 'renew', owner, lease}),
			release: owner => change({op: 'release', owner}),
		},
		lease,
	);
}
