import {ownProperty} from './own-properties.ts';

interface Realm {
	readonly navigator?: {readonly userAgent?: string};
	readonly document?: unknown;
	readonly WorkerLocation?: unknown;
	readonly WebSocketPair?: unknown;
}

const agentOf = ({navigator}: Realm): string => navigator?.userAgent ?? '';

/** Whether this is Node, Deno or Bun. */
export function isServer(realm: Realm = globalThis): boolean {
	// `process` says nothing: Workers have it too if they are asked for compatibility with Node.
	return /^(?:Node\.js|Deno|Bun)\//.test(agentOf(realm));
}

/** Whether this is a page or a worker of a browser, where everybody can read what the program holds. */
export function isBrowser(realm: Realm = globalThis): boolean {
	// Some Workers bring a `document` of their own. Cloudflare has `WebSocketPair` at every compatibility date, and no browser has it. It is
	// no own property there, and must not be one that every object inherits.
	if (realm.WebSocketPair !== ({} as Realm).WebSocketPair) return false;
	// Cloudflare has `WorkerGlobalScope` too, and had `importScripts`; workers of Deno have a location as well.
	return !!ownProperty(realm, 'document') || (!!ownProperty(realm, 'WorkerLocation') && !isServer(realm));
}

/**
Whether the platform's `fetch` is known to drop `Authorization` when it follows a redirect to another origin. Cloudflare Workers do so
from compatibility date 2025-09-01 on, and do not tell. Deno does from 2.2 on, happy-dom from 21 on.
*/
export function dropsAuthorization(realm: Realm = globalThis): boolean {
	const [, name, major, minor] = /(Deno|HappyDOM)\/(\d+)\.(\d+)/.exec(agentOf(realm)) ?? [];
	if (name === 'Deno') return Number(major) > 2 || (major === '2' && Number(minor) > 1);
	return name ? Number(major) > 20 : isBrowser(realm) || isServer(realm);
}
