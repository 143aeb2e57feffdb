import {ConfigError, StoreError, type StoreErrorCode} from '../errors.ts';
import {type LeaseOptions, leaseOf, underLease} from './shared/lease.ts';
import {createRecordText} from './shared/record-text.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {TokenStore} from './token-cell.ts';

export type {LeaseOptions} from './shared/lease.ts';

/** A client, pool, cluster or sentinel of the package `redis` (node-redis), from version 4 on. */
export interface NodeRedisClient {
	/**
	Runs a script.

	@param options.keys The keys that it touches.
	@param options.arguments Its arguments.
	*/
	eval(script: string, options: {keys: string[]; arguments: string[]}): Promise<unknown>;
	/** Not called. Other packages have an `eval` with other arguments, and none of this name. */
	sendCommand(...words: never[]): Promise<unknown>;
}

/** A client or cluster of the package `ioredis`. */
export interface IoRedisClient {
	/** Sends a command by its name and its arguments. */
	call(command: string, ...words: string[]): Promise<unknown>;
}

// Everything is a script with one key: it is one step, a cluster sends it to the node of that key, and never to a replica, which is behind.
const read = `return redis.call('GET', KEYS[1])`;
const write = `if ARGV[1] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[1]) end
return 1`;
/** The same in place of what was expected. Where that is there already, a client has sent the command again, since its answer was lost. */
const writeInPlace = `local found, text, isAny, expected = redis.call('GET', KEYS[1]), ARGV[1], ARGV[2], ARGV[3]
if text ~= '' and found == text then return 1 end
if isAny == '0' and found or isAny == '1' and found ~= expected then return 0 end
${write}`;
/** Also where the owner itself has it, since the answer may have been lost, or one that is done with it and could not say so. */
const take = `local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] and owner ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;
const keep = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const free = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
Keeps the token in Redis, for a fleet of servers: one process at a time renews it, under a lease that ends by itself where the
process does. Each write compares first, so that a process that was stopped for longer than its lease overwrites nothing.

What it cannot make good: a process that ends, or is stopped for longer than its lease, after the server has renewed the token and before
that is written. Nor a Redis that forgets: let it evict no keys, and persist what it is told. A failover to a replica that is behind may
cost the session.

Every call reads the record: a subscription would need a connection of its own. Let the client fail rather than wait while it has no
connection (`disableOfflineQueue: true`, or `enableOfflineQueue: false` for `ioredis`), else its calls wait too, for as long as `timeout`.
The user of an ACL needs both keys, and the commands EVAL, GET, SET, DEL and PEXPIRE.

@param client A connected client of `redis` or `ioredis`, also one of a cluster. Its `keyPrefix` counts.
@param key The key of the record. That of the lease is `{key}:lease`, or the key with `:lease` after it where it has a hash tag of its own.
@param options.lease Milliseconds, 15,000 by default, not shorter than the `timeout` of the session. So long the others wait for a process
that has ended while it renewed the token.
@throws {ConfigError} where the client is none, the key is empty or the lease is no number of milliseconds. The store itself throws a
`StoreError`, which holds nothing of what the client says: that may quote the token.
@example
```ts
const client = await createClient({url: 'redis://localhost'}).connect();
const auth = createAuth({tokenEndpoint, clientId, grant, store: redisStore(client, 'session')});
```
*/
export function redisStore(client: NodeRedisClient | IoRedisClient, key: string, options?: LeaseOptions): TokenStore {
	const evaluate = evaluatorOf(client);
	if (typeof key !== 'string' || key === '') throw new ConfigError('key must be a text that is not empty');
	const lease = leaseOf(options);
	const record = createRecordText();
	/** An owner of this store that is done. Where it could not be told, it would keep the next one waiting. */
	let done = '';
	const leaseKey = /^[^{]*\{[^}]+\}/.test(key) ? `${key}:lease` : `{${key}}:lease`;

	const ask = async (
		code: StoreErrorCode,
		script: string,
		on: string,
		words: string[],
	): Promise<string | undefined> => {
		let reply: unknown;
		try {
			reply = await evaluate(script, on, words);
		} catch {
			// It quotes the command, and so the token.
			throw new StoreError(code);
		}
		if (reply === null) return undefined;
		if (typeof reply === 'string' || typeof reply === 'number') return String(reply);
		// Of a client that was told to give bytes. Each byte counts when texts are compared.
		if (ArrayBuffer.isView(reply)) return new TextDecoder('utf-8', {ignoreBOM: true}).decode(reply);
		throw new StoreError(code);
	};
	const change = async (script: string, on: string, ...words: string[]): Promise<boolean> => {
		const reply = await ask('store_write', script, on, words);
		if (reply === '1' || reply === '0') return reply === '1';
		throw new StoreError('store_write');
	};

	return sharedStore(
		{
			get: async () => record.parse(await ask('store_read', read, key, [])),
			set: async token => void (await change(write, key, record.format(token))),
			delete: async () => void (await change(write, key, '')),
			replace: async (found, token) => {
				const expected = record.textOf(found);
				if (expected === null) return false;
				const text = token ? record.format(token) : '';
				return change(writeInPlace, key, text, expected === undefined ? '0' : '1', expected ?? '');
			},
			lock: (task, signal) =>
				underLease(
					{
						lease,
						take: owner => change(take, leaseKey, owner, String(lease), done),
						keep: owner => change(keep, leaseKey, owner, String(lease)),
						free: owner => {
							done = owner;
							return change(free, leaseKey, owner);
						},
					},
					task,
					signal,
				),
		},
		{isMarked: true},
	);
}

/** Runs a script on one key. */
function evaluatorOf(
	client: NodeRedisClient | IoRedisClient,
): (script: string, key: string, words: string[]) => Promise<unknown> {
	// A function has `call` too.
	if (typeof client === 'object' && client !== null) {
		if ('call' in client && typeof client.call === 'function') {
			return (script, key, words) => client.call('EVAL', script, '1', key, ...words);
		}
		if ('sendCommand' in client && 'eval' in client && typeof client.eval === 'function') {
			return (script, key, words) => client.eval(script, {keys: [key], arguments: words});
		}
	}
	throw new ConfigError('client must be a client of redis or ioredis: where connect() gives it, await that');
}
