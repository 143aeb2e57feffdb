import {StoreError} from '../errors.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {type DpopAlgorithm, type DpopKeyPair, generateKeyPair, type ProofKey, toProofKey} from './key-pair.ts';
import {type DpopKeyStore, keepInIndexedDb} from './key-store.ts';

/** How long a store may take, in milliseconds. IndexedDB can wait for ever, while another tab deletes the database. */
const deadline = 5_000;

/** What a browser says that keeps no keys here: in a sandboxed frame, in some private windows, with storage switched off. */
const refusals = /^(?:SecurityError|InvalidStateError|DataCloneError)$/;

/**
Gives the key of a scheme, found or made when it is used first.

@throws {StoreError} from the function that is returned, if the store fails for now. No other key is used then: the session's tokens are
bound to the one that is stored, and a refresh with another would end the session.
*/
export function createKeySource(
	keyPair: DpopKeyPair | undefined,
	algorithm: DpopAlgorithm,
	store: DpopKeyStore | undefined,
): () => Promise<ProofKey> {
	// The key, and no promise of it: on Workers, a promise of one request never settles for another.
	let proofKey: ProofKey | undefined;

	const generate = async (): Promise<DpopKeyPair> => {
		const generated = await generateKeyPair(algorithm);
		if (store) return store(generated);
		try {
			return 'indexedDB' in globalThis ? await keepInIndexedDb(generated, algorithm) : generated;
		} catch (error) {
			if (refusals.test((Object(error) as Error).name)) return generated;
			throw error;
		}
	};

	return async () => {
		if (proofKey) return proofKey;
		let found: ProofKey;
		try {
			found = await toProofKey(keyPair ?? (await withTimeout(generate, deadline)));
		} catch {
			throw new StoreError('store_read', 'The key of dpop() could not be stored or read');
		}
		// Another call may have been faster: without a store, each generates a key.
		return (proofKey ??= found);
	};
}
