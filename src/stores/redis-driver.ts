import {ConfigError, StoreError, type StoreErrorCode} from '../errors.ts';
import {readLease} from './shared/lease.ts';
import {leasedDriver} from './shared/text-driver.ts';
import type {StoreDriver} from './shared/store-driver.ts';
import {type ExpiringStoreOptions, readTtl} from './shared/ttl.ts';

/** A client, pool, cluster or sentinel of the package `redis` (node-redis), from version 4 on. */
export interface NodeRedisClient {
	/**
	Runs a script.

	@param options.keys The keys that the script uses.
	@param options.arguments The arguments of the script.
	*/
	eval(script: string, options: {keys: string[]; arguments: string[]}): Promise<unknown>;
	/** Never called. It tells this package from others, whose `eval` takes other arguments. */
	sendCommand(...words: never[]): Promise<unknown>;
}

/** A client or cluster of the package `ioredis`. */
export interface IoRedisClient {
	/** Sends a command by its name and arguments. */
	call(command: string, ...words: string[]): Promise<unknown>;
}

// Each operation is one script with one key. So it is atomic, and a cluster sends it to the primary node of that key, never to a replica.
const readScript = `return redis.call('GET', KEYS[1])`;
const writeScript = `local text, ttl = ARGV[1], ARGV[2]
if text == '' then redis.call('DEL', KEYS[1])
elseif ttl == '' then redis.call('SET', KEYS[1], text)
else redis.call('SET', KEYS[1], text, 'PX', ttl) end
return 1`;
// The third argument is what was found. It is left out if nothing was.
const compareAndSetScript = `local found = redis.call('GET', KEYS[1])
if found ~= (ARGV[3] or false) and (found == '' or found ~= ARGV[1]) then return 0 end
${writeScript}`;
// Also granted to the owner itself, whose answer may have been lost, and if the owner is known to be done but could not say so.
const acquireScript = `local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] and owner ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;
const renewScript = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const releaseScript = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** The driver of `redisStore`. It rejects with a `StoreError` that holds nothing of what the client says. */
export function redisDriver(
	client: NodeRedisClient | IoRedisClient,
	key: string,
	options?: ExpiringStoreOptions,
): StoreDriver {
	const evaluate = evaluatorOf(client);
	if (typeof key !== 'string' || key === '') throw new ConfigError('key must be a text that is not empty');
	const lease = readLease(options);
	const ttl = String(readTtl(options) ?? '');
	// A cluster must keep it on the same node: it goes by the first part of a key in braces.
	const leaseKey = /^[^{]*\{[^}]+\}/.test(key) ? `${key}:lease` : `{${key}}:lease`;
	/** The last owner of this store that is done. If its release failed, the next owner of this store need not wait for the lease to end. */
	let done = '';

	const run = async (
		code: StoreErrorCode,
		script: string,
		on: string,
		words: string[],
	): Promise<string | undefined> => {
		let reply: unknown;
		try {
			reply = await evaluate(script, on, words);
		} catch {
			// The client's error quotes the command, and so the token.
			throw new StoreError(code);
		}
		if (reply === null) return undefined;
		if (typeof reply === 'string' || typeof reply === 'number') return String(reply);
		// A client can be set to give bytes. Texts are compared byte by byte, so a byte order mark counts.
		if (ArrayBuffer.isView(reply)) return new TextDecoder('utf-8', {ignoreBOM: true}).decode(reply);
		throw new StoreError(code);
	};
	const change = async (script: string, on: string, ...words: string[]): Promise<boolean> => {
		const reply = await run('store_write', script, on, words);
		if (reply === '1' || reply === '0') return reply === '1';
		throw new StoreError('store_write');
	};

	return leasedDriver(
		{
			read: () => run('store_read', readScript, key, []),
			write: (text = '') => change(writeScript, key, text, ttl),
			compareAndSet: (found, text = '') =>
				change(compareAndSetScript, key, text, ttl, ...(found === undefined ? [] : [found])),
			acquire: owner => change(acquireScript, leaseKey, owner, String(lease), done),
			renew: owner => change(renewScript, leaseKey, owner, String(lease)),
			release: owner => {
				done = owner;
				return change(releaseScript, leaseKey, owner);
			},
		},
		lease,
	);
}

/** Returns a function that runs a script on one key. */
function evaluatorOf(
	client: NodeRedisClient | IoRedisClient,
): (script: string, key: string, words: string[]) => Promise<unknown> {
	// A function has a `call` as well.
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
