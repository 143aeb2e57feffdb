/** A request of a store to its vault. If a text is null, there is no record, or there shall be none. */
export type VaultMessage =
	| {readonly op: 'read'}
	| {
			readonly op: 'write';
			readonly text: string | null;
			readonly ttl?: number | undefined;
	  }
	| {
			readonly op: 'compareAndSet';
			readonly found: string | null;
			readonly text: string | null;
			readonly ttl?: number | undefined;
	  }
	| {
			readonly op: 'acquire' | 'renew';
			readonly owner: string;
			readonly lease: number;
	  }
	| {readonly op: 'release'; readonly owner: string};

/** The answer of the vault: the text that was read, or whether the request was carried out. */
export type VaultAnswer = string | boolean | null;

/** The address that a store sends every message to. It is not a host on any network. */
export const vaultAddress = 'https://token-vault/';

/**
The mark of every message, in the request's `cf` property. Whoever sends an HTTP request can choose its address, its headers and its
body, but not its `cf`: Cloudflare fills it in. So a request from outside that a worker passes on cannot have this mark.
*/
export const vaultMark = 'regrant';

/** The longest lease, in milliseconds. A stored lease that would last longer is ignored. */
export const longestLease = 600_000;

const isTextOrNull = (value: unknown): boolean => typeof value === 'string' || value === null;
const isOwner = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isDuration = (value: unknown, longest: number): boolean =>
	typeof value === 'number' && value > 0 && value <= longest;

/** Reads a message. Returns undefined for anything that no store sends. */
export function readMessage(body: string): VaultMessage | undefined {
	let message: unknown;
	try {
		message = JSON.parse(body);
	} catch {
		// The parser's error quotes a part of the body.
		return undefined;
	}
	const {op, text, found, owner, lease, ttl} = Object(message) as Record<string, unknown>;
	const isText = isTextOrNull(text) && (ttl === undefined || isDuration(ttl, Number.MAX_SAFE_INTEGER));
	const isValid =
		op === 'read' ||
		(op === 'write' && isText) ||
		(op === 'compareAndSet' && isTextOrNull(found) && isText) ||
		((op === 'acquire' || op === 'renew') && isOwner(owner) && isDuration(lease, longestLease)) ||
		(op === 'release' && isOwner(owner));
	return isValid ? (message as VaultMessage) : undefined;
}
