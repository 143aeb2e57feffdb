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
	// `process` does not tell: Workers have it too, in their compatibility mode for Node.
	return /^(?:Node\.js|Deno|Bun)\//.test(agentOf(realm));
}

/** Whether this is a page or a worker of a browser, where users can read everything that the program holds. */
export function isBrowser(realm: Realm = globalThis): boolean {
	// Some Workers have a `document` of their own. Cloudflare has `WebSocketPair` at every compatibility date, and no browser has it. There
	// it is an inherited property, but it must not come from a polluted `Object.prototype`.
	if (realm.WebSocketPair !== ({} as Realm).WebSocketPair) return false;
	// Cloudflare has `WorkerGlobalScope` too, and used to have `importScripts`. Workers of Deno also have a location.
	return !!ownProperty(realm, 'document') || (!!ownProperty(realm, 'WorkerLocation') && !isServer(realm));
}

/**
Whether the platform's `fetch` is known to drop `Authorization` when it follows a redirect to another origin. Deno does since 2.2, and
happy-dom since 21. Cloudflare Workers do since compatibility date 2025-09-01, but a program cannot read that date.
*/
export function dropsAuthorization(realm: Realm = globalThis): boolean {
	const [, name, major, minor] = /(Deno|HappyDOM)\/(\d+)\.(\d+)/.exec(agentOf(realm)) ?? [];
	if (name === 'Deno') return Number(major) > 2 || (major === '2' && Number(minor) > 1);
	return name ? Number(major) > 20 : isBrowser(realm) || isServer(realm);
}
