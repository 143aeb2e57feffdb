import {isSameToken, type TokenSet} from '../../token/token-set.ts';

/** A token, and the record of the store that it is in: as the store gave it, or was given it. */
export interface StoredRecord {
	readonly token: TokenSet | undefined;
	readonly raw: unknown;
}

/**
What this holder knows of the record in a shared store.

- `unread`: nothing yet.
- `synced`: the store held this record when it was last read or written.
- `unsaved`: the store did not take our last write. The token is in the memory of this realm alone.
- `lagging`: the store took our last write, and has then given back what that replaced.
*/
export interface KnownRecord extends StoredRecord {
	readonly state: 'unread' | 'synced' | 'unsaved' | 'lagging';
	/** True after the first successful read. From then on another tab or process may have newer data. */
	readonly wasRead: boolean;
	/** What our last write replaced. */
	readonly replaced?: StoredRecord | undefined;
	/** The record of the login that was signed out here last. */
	readonly signedOut?: unknown;
	/** Whether the unsaved write renews a record that the store holds. A login that the store never took is known to nobody else. */
	readonly isRenewal?: boolean;
}

/** Before the first read. */
export const unread: KnownRecord = {
	state: 'unread',
	token: undefined,
	raw: undefined,
	wasRead: false,
};

/** Whether two records are of one login. Gives `isUnknown` if they do not say. */
export type LoginComparison = (later: unknown, earlier: unknown, isUnknown: boolean) => boolean;

/** What a record that was read is to what is known. */
export type Finding =
	/** What our last write replaced: the store lags, or did not take the write. */
	| 'outdated'
	/** Of a login that was signed out here: a slow holder has written it since. */
	| 'late'
	/** As it is known, or the first that is read. */
	| 'same'
	/** Changed by another holder. */
	| 'changed';

/** Compares what was read with what is known. */
export function compareRecord(known: KnownRecord, found: StoredRecord, isSameLogin: LoginComparison): Finding {
	const {state, token, replaced, signedOut} = known;
	const isSignedOut = found.token && signedOut !== undefined && isSameLogin(found.raw, signedOut, false);
	// Also the very record that the sign-out removed: a holder that asks whether the store takes writes has written it once more.
	if (isSignedOut && state !== 'unsaved') return 'late';
	const isReplaced = replaced && isSameToken(found.token, replaced.token) && (state === 'unsaved' || replaced.token);
	// Another login may bring the very token that our last write replaced.
	if (isReplaced && isSameLogin(found.raw, replaced.raw, true)) return 'outdated';
	if (isSignedOut) return 'late';
	return state === 'unread' || isSameToken(found.token, token) ? 'same' : 'changed';
}

/** What is known after a read of a record that is not outdated. */
export const afterRead = (known: KnownRecord, found: StoredRecord): KnownRecord => ({
	...known,
	...found,
	state: 'synced',
	wasRead: true,
});

/**
What is known after a write.

@param isSaved Whether the store took it.
@param isRenewal Whether it renews what was known, and is no login.
*/
export function afterWrite(
	known: KnownRecord,
	written: StoredRecord,
	isSaved: boolean,
	isRenewal: boolean,
): KnownRecord {
	const {state, token, raw} = known;
	// The same token once more replaces nothing. If the store does not take it, it still holds what it held.
	if (state !== 'unread' && isSameToken(token, written.token)) {
		return isSaved ? {...known, raw: written.raw, state: 'synced'} : known;
	}
	const wasUnsaved = state === 'unsaved';
	const replaced = wasUnsaved ? known.replaced : {token, raw};
	return {
		...known,
		...written,
		state: isSaved ? 'synced' : 'unsaved',
		replaced,
		signedOut: !written.token && replaced?.token ? replaced.raw : known.signedOut,
		// What renews a login that was not saved is a part of it.
		isRenewal: isRenewal && (!wasUnsaved || known.isRenewal === true),
	};
}
