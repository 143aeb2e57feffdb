import {isSameToken, type TokenSet} from '../../token/token-set.ts';

/** A token, its record in the store, as the store returned or received it, and the login that the record names. */
export interface StoredRecord {
	readonly token: TokenSet | undefined;
	readonly raw: unknown;
	readonly login: unknown;
}

/**
What this holder knows about the record in a shared store.

- `unread`: nothing yet.
- `synced`: the store held this record when it was last read or written.
- `unsaved`: the store did not take our last write. The token is only in the memory of this realm.
- `lagging`: the store took our last write, but has then returned what that write replaced.
*/
export interface KnownRecord extends StoredRecord {
	readonly state: 'unread' | 'synced' | 'unsaved' | 'lagging';
	/** True after the first successful read. From then on another tab or process may have newer data. */
	readonly wasRead: boolean;
	/** What our last write replaced. */
	readonly replaced?: StoredRecord | undefined;
	/** The record of the last login that was signed out here. */
	readonly signedOut?: StoredRecord | undefined;
	/** Whether the unsaved write renews a record that the store holds. Nobody else knows a login that the store never took. */
	readonly isRenewal?: boolean;
}

/** Before the first read. */
export const unread: KnownRecord = {
	state: 'unread',
	token: undefined,
	raw: undefined,
	login: undefined,
	wasRead: false,
};

/** Whether two records belong to the same login. Returns `isUnknown` if they do not say. */
export type LoginComparison = (later: StoredRecord, earlier: StoredRecord, isUnknown: boolean) => boolean;

/** How a record that was read relates to what is known. */
export type Finding =
	/** The record that our last write replaced: the store lags, or did not take the write. */
	| 'outdated'
	/** A record of a login that was signed out here: a slow holder has written it since. */
	| 'late'
	/** The known record, or the first one that is read. */
	| 'same'
	/** A record that another holder has changed. */
	| 'changed';

/** Compares what was read with what is known. */
export function compareRecord(known: KnownRecord, found: StoredRecord, isSameLogin: LoginComparison): Finding {
	const {state, token, replaced, signedOut} = known;
	if (token && isSameToken(found.token, token)) return 'same';
	const isSignedOut = found.token && signedOut && isSameLogin(found, signedOut, false);
	// Even the very record that the sign-out removed: a holder that checked whether the store takes writes has written it again.
	if (isSignedOut && state !== 'unsaved') return 'late';
	const isReplaced = replaced && isSameToken(found.token, replaced.token) && (state === 'unsaved' || replaced.token);
	// Another login may bring exactly the token that our last write replaced.
	if (isReplaced && isSameLogin(found, replaced, true)) return 'outdated';
	if (isSignedOut) return 'late';
	return state === 'unread' || !(found.token ?? token) ? 'same' : 'changed';
}

/** What is known after reading a record that is not outdated. */
export const afterRead = (known: KnownRecord, found: StoredRecord): KnownRecord => ({
	...known,
	...found,
	state: 'synced',
	wasRead: true,
});

/**
What is known after a write.

@param isSaved Whether the store took it.
@param isRenewal Whether it renews the known token, and is not a login.
*/
export function afterWrite(
	known: KnownRecord,
	written: StoredRecord,
	isSaved: boolean,
	isRenewal: boolean,
): KnownRecord {
	const {state, token, raw, login} = known;
	// Writing the same token again replaces nothing. If the store does not take it, it still holds that token.
	if (state !== 'unread' && isSameToken(token, written.token)) {
		return isSaved ? {...known, ...written, token, state: 'synced'} : known;
	}
	const wasUnsaved = state === 'unsaved';
	const replaced = wasUnsaved ? known.replaced : {token, raw, login};
	return {
		...known,
		...written,
		state: isSaved ? 'synced' : 'unsaved',
		replaced,
		signedOut: !written.token && replaced?.token ? replaced : known.signedOut,
		// A renewal of an unsaved login is as unsaved as the login.
		isRenewal: isRenewal && (!wasUnsaved || known.isRenewal === true),
	};
}
