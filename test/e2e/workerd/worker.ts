// The worker that the tests run in workerd. Like a user's worker, it has its sessions at module scope.
import {env, waitUntil} from 'cloudflare:workers';
import {type Auth, createAuth, type TokenStore} from '../../../src/index.ts';
import {durableObjectDriver, type VaultStub} from '../../../src/stores/durable-object-driver.ts';
import {sharedStore} from '../../../src/stores/shared/shared-store.ts';
import type {StoreDriver} from '../../../src/stores/shared/store-driver.ts';
import {runSpec} from './spec.ts';

export {ProbedVault as TokenVault} from './vault.ts';

interface Server {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly api: string;
}

interface Vaults {
	get(id: unknown): VaultStub;
	idFromName(name: string): unknown;
}

const server = JSON.parse(env.SERVER) as Server;
const auths = new Map<string, Auth>();

// This call works at every compatibility date.
const stubOf = (name: string): VaultStub => {
	const vaults = env.VAULT as unknown as Vaults;
	return vaults.get(vaults.idFromName(name));
};

/** How long each call waited for the lock, in milliseconds. */
const waits: number[] = [];

function storeFor(query: URLSearchParams, lease: number): TokenStore {
	const {lock, replace, ...store} = durableObjectDriver(() => stubOf(query.get('session') ?? ''), {lease});
	if (query.has('unlocked') || !lock || !replace) return sharedStore(store);
	const watched: StoreDriver = {
		...store,
		replace,
		lock: (task, signal) => {
			const asked = performance.now();
			return lock(isHeld => {
				waits.push(performance.now() - asked);
				return task(isHeld);
			}, signal);
		},
	};
	return sharedStore(watched);
}

/** Returns the session of this name. All requests of this isolate share it, as in a user's worker. */
function authOf(query: URLSearchParams): Auth {
	const key = String(query);
	const known = auths.get(key);
	if (known) return known;
	const {tokenEndpoint, revocationEndpoint, api} = server;
	const lease = Number(query.get('lease') ?? 15_000);
	const auth = createAuth({
		tokenEndpoint,
		revocationEndpoint,
		clientId: 'app',
		origins: [api],
		timeout: Number(query.get('timeout') ?? 10_000),
		store: storeFor(query, lease),
		...(query.has('waitUntil') && {waitUntil}),
	});
	auths.set(key, auth);
	return auth;
}

async function outcomeOf(work: Promise<unknown>): Promise<Response> {
	try {
		return Response.json({value: await work});
	} catch (error) {
		const {name, code, reason} = error as {readonly name: string; readonly code?: string; readonly reason?: string};
		return Response.json({error: [name, reason ?? code].filter(Boolean).join(' ')});
	}
}

/** Passes a request to a vault, for stores outside of workerd. If the platform rejects it, the status is 599. */
async function passOn(stub: VaultStub, request: Request): Promise<Response> {
	const {signal} = request;
	try {
		const body = await request.text();
		const message = {method: 'POST', body, cf: {regrant: true}, signal: signal as never} as const;
		return (await stub.fetch('https://token-vault/', message)) as Response; // the type of a stub is wider, and a real one resolves with a Response
	} catch {
		return new Response(null, {status: 599});
	}
}

const routes: Readonly<Record<string, (request: Request, auth: Auth) => Response | Promise<Response>>> = {
	'/call': (_, auth) => outcomeOf(auth.fetch(`${server.api}/me`).then(({status}) => status)),
	'/token': (_, auth) => outcomeOf(auth.getToken().then(({access_token}) => access_token)),
	'/refresh': (_, auth) => outcomeOf(auth.refresh().then(({access_token}) => access_token)),
	'/sign-in': async (request, auth) => outcomeOf(auth.setToken(await request.json())),
	'/waits': () => Response.json({value: waits.splice(0)}),
	'/sign-out': (_, auth) => outcomeOf(auth.signOut()),
	// Answers while its renewal is still running: at once for a GET, or when the test says so for a POST.
	'/leave': async (request, auth) => {
		void auth.getToken().catch(() => {});
		if (request.method === 'POST') await fetch((await request.json()) as string);
		return Response.json({value: 'left'});
	},
};

export default {
	async fetch(request: Request): Promise<Response> {
		const {pathname, searchParams} = new URL(request.url);
		const [, kind, name = ''] = pathname.split('/');
		// Only for the tests. A user's worker has no such route.
		if (kind === 'vault') return passOn(stubOf(name), request);
		if (kind === 'probe') {
			const [, , , path = ''] = pathname.split('/');
			const body = await request.text();
			return stubOf(name).fetch(`https://probe/${path}`, {
				method: 'POST',
				body,
				cf: {},
				signal: null as never,
			}) as Promise<Response>;
		}
		if (kind === 'forward') {
			// Imitates workers that pass requests from outside on to a vault, with the host that was asked for.
			const [, , , way] = pathname.split('/');
			const address = `https://${request.headers.get('host')}/`;
			const {method, body} = request;
			const forwarded = way === 'rebuilt' ? new Request(address, {method, body}) : new Request(address, request);
			const stub = stubOf(name) as unknown as {fetch(...given: readonly unknown[]): Promise<Response>};
			return way === 'by-its-address' ? stub.fetch(address, request) : stub.fetch(forwarded);
		}
		if (kind === 'outside') return stubOf(name).fetch(request.url, request as never) as Promise<Response>;
		if (kind === 'spec')
			return runSpec({index: Number(name), server, stubOf, control: searchParams.get('control') ?? ''});
		return routes[pathname]?.(request, authOf(searchParams)) ?? new Response(null, {status: 404});
	},
};
