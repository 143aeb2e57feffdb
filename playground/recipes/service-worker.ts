// A service worker that holds the session of its pages: they fetch as if there were no tokens, and none comes near them. Bundled
// to /service-worker.js, beside service-worker-page.ts. Run: npx vitest run test/recipes/service-worker.test.ts
import {createAuth, isRegrantError} from 'regrant';
import type {Message} from './service-worker-page.ts';

// What TypeScript's library `webworker` has, which cannot be had beside that of pages.
interface ExtendableEvent {
	waitUntil(promise: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
	readonly request: Request;
	respondWith(response: Promise<Response>): void;
}
interface ServiceWorkerScope {
	readonly clients: {
		claim(): Promise<void>;
		matchAll(): Promise<ReadonlyArray<{postMessage(message: string): void}>>;
	};
	addEventListener(type: 'activate', listener: (event: ExtendableEvent) => void): void;
	addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
	addEventListener(type: 'message', listener: (event: ExtendableEvent & MessageEvent<Message>) => void): void;
}
const worker = globalThis as unknown as ServiceWorkerScope; // which this is

/** Put in by the bundler: `define`. */
declare const place: Readonly<Record<'tokenEndpoint' | 'revocationEndpoint' | 'clientId' | 'api', string>>;
const {tokenEndpoint, revocationEndpoint, clientId, api} = place;

// In memory, since pages can read whatever their worker could store. A browser that stops an idle worker ends the session with
// it: the next call is answered 401, and the page signs in again, of which the user need not notice (`prompt=none`).
const auth = createAuth({tokenEndpoint, revocationEndpoint, clientId, origins: [api]});

async function tellPages(message: 'signed-out'): Promise<void> {
	// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a client is of this origin
	for (const page of await worker.clients.matchAll()) page.postMessage(message);
}

auth.subscribe(({type}) => {
	if (type === 'session-ended') void tellPages('signed-out');
});

async function answer(request: Request): Promise<Response> {
	try {
		return await auth.fetch(request);
	} catch (error) {
		if (!isRegrantError(error)) throw error;
		return Response.json(error, {status: error.code === 'session_ended' ? 401 : 503});
	}
}

async function obey(message: Message): Promise<void> {
	if (message.type === 'sign-out') return auth.signOut();
	const {code, code_verifier, redirect_uri} = message;
	const grant = {grant_type: 'authorization_code', client_id: clientId, code, code_verifier, redirect_uri};
	const response = await fetch(tokenEndpoint, {method: 'POST', body: new URLSearchParams(grant)});
	if (!response.ok) throw new Error(`The token endpoint answered ${response.status}`);
	return auth.setToken(await response.json());
}

worker.addEventListener('activate', event => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', event => {
	if (event.request.url.startsWith(`${api}/`)) event.respondWith(answer(event.request));
});

worker.addEventListener('message', event => {
	const done = obey(event.data).then(
		() => event.ports[0]?.postMessage('done'),
		() => event.ports[0]?.postMessage('failed'),
	);
	event.waitUntil(done);
});
