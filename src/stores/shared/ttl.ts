import {ConfigError} from '../../errors.ts';
import {ownProperties} from '../../lib/own-properties.ts';
import type {LeaseOptions} from './lease.ts';

/** Options of a store whose engine can delete a session that nobody uses any more. */
export interface ExpiringStoreOptions extends LeaseOptions {
	/**
	Deletes the token this many seconds after it was last written. Every refresh writes it, so only abandoned sessions go. Choose at
	least the lifetime of the refresh token.

	@default none: the token stays until it is deleted
	*/
	readonly ttl?: number | undefined;
}

/**
Reads the `ttl` option. Returns milliseconds.

@throws {ConfigError} if it is not a whole number of seconds in range.
*/
export function readTtl(options: ExpiringStoreOptions | undefined): number | undefined {
	const {ttl} = ownProperties(options);
	if (ttl === undefined) return undefined;
	if (Number.isSafeInteger(ttl) && ttl > 0 && ttl < 2 ** 32) return ttl * 1000;
	throw new ConfigError('ttl must be seconds, a whole number above 0');
}
