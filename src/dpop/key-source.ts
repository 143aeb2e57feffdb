import {StoreError} from '../errors.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {
	type DpopAlgorithm,
	type DpopKeyPair,
	generateKeyPair,
	isKeyPair,
	type ProofKey,
	toProofKey,
} from './key-pair.ts';
import {type DpopKeyStore, keepInIndexedDb} from './key-store.ts';

/** How long a store may take, in milliseconds. IndexedDB can wait forever while another tab deletes the database. */
const deadline = 5_000;
/** How long it may take if the key is known: a token request waits for it, under the lock of the session. */
const shortDeadline = 1_000;

/** The errors of a browser that stores no keys here: in a sandboxed frame, in some private windows, or if storage is switched off. */
const refusals = /^(?:SecurityError|InvalidStateError|DataCloneError)$/;

/**
Gives the key of a scheme. It is loaded or generated when it is first used.

A token request asks the store again: the user may have deleted the site's data and logged in again in another tab, and then that tab's key
counts. If the store has lost the key, it is stored again.

@throws {ConfigError} from the returned function, if the platform cannot make such keys.
@throws {StoreError} from the returned function, if the store fails before it has returned a key. There is no fallback to a new key: the
tokens are bound to the stored one, and a refresh with another key would end the session.
*/
export function createKeySource(
	keyPair: DpopKeyPair | undefined,
	algorithm: DpopAlgorithm,
	store: DpopKeyStore | undefined,
): (isTokenRequest: boolean) => Promise<ProofKey> {
	let known = keyPair;
	// Keeps the key and not a promise: on Workers, a promise of one request never settles for another request.
	let proofKey: ProofKey | undefined;

	const keep = async (offered: DpopKeyPair): Promise<DpopKeyPair> => {
		if (keyPair) return keyPair;
		if (store) return store(offered);
		try {
			return globalThis.indexedDB ? await keepInIndexedDb(offered, algorithm) : offered;
		} catch (error) {
			if (refusals.test((Object(error) as Error).name)) return offered;
			throw error;
		}
	};

	return async isTokenRequest => {
		if (proofKey && !isTokenRequest) return proofKey;
		const generated = known ?? (await generateKeyPair(algorithm));
		// Another call may have been faster. The first key counts.
		const offered = (known ??= generated);
		try {
			const kept = await withTimeout(() => keep(offered), proofKey ? shortDeadline : deadline);
			if (!isKeyPair(kept)) throw undefined;
			const found = await toProofKey(kept);
			known = kept;
			proofKey = found;
			return found;
		} catch {
			if (proofKey) return proofKey;
			throw new StoreError('store_read', 'The key of dpop() could not be stored or read');
		}
	};
}
