import {ownProperty} from './own-properties.ts';

interface Realm {
	readonly navigator?: {readonly userAgent?: string};
	readonly document?: unknown;
	readonly WorkerLocation?: unknown;
}

/** Whether this is Node, Deno or Bun. */
export function isServer({navigator}: Realm = globalThis): boolean {
	// Not by `process`, which Workers have too when asked for compatibility with Node.
	return /^(?:Node\.js|Deno|Bun)\//.test(navigator?.userAgent ?? '');
}

/** Whether this is a page or a worker of a browser, where everybody can read what the program holds. */
export function isBrowser(realm: Realm = globalThis): boolean {
	// Cloudflare's have `WorkerGlobalScope` too, and had `importScripts`; workers of Deno have a location as well.
	return !!ownProperty(realm, 'document') || (!!ownProperty(realm, 'WorkerLocation') && !isServer(realm));
}

/**
Whether the platform's `fetch` is known to drop `Authorization` when it follows a redirect to another origin. Workers do so
from compatibility date 2025-09-01 on, and do not tell.
*/
export function dropsAuthorization(realm: Realm = globalThis): boolean {
	return isBrowser(realm) || isServer(realm);
}
