// A service worker that holds the session for its pages. They call `fetch` as if there were no tokens, and never see one. Bundle it as
// /service-worker.js, beside service-worker-page.ts. Its tsconfig.json needs `"lib": ["es2022", "webworker"]`.
// Run: npx vitest run test/recipes/service-worker.test.ts
import {createAuth, isRegrantError, requestToken} from 'regrant';
import type {Message} from './service-worker-page.ts';

declare const self: ServiceWorkerGlobalScope;

const API = 'https://api.example.com';
const client = {
	tokenEndpoint: 'https://login.example.com/token',
	revocationEndpoint: 'https://login.example.com/revoke',
	clientId: 'spa',
};

// The session is kept in memory, because pages can read everything that a worker stores. If the browser stops the idle worker, the
// session is gone: the next call gets a 401, and the page signs in again, unseen by the user if it sends `prompt=none`.
const auth = createAuth({...client, origins: [API]});

async function tellPages(message: 'signed-out'): Promise<void> {
	// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a client of a worker is always of its origin
	for (const page of await self.clients.matchAll()) page.postMessage(message);
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
	const request = {grant_type: 'authorization_code', code, code_verifier, redirect_uri} as const;
	return auth.setToken(await requestToken(client, request));
}

self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', event => {
	if (event.request.url.startsWith(`${API}/`)) event.respondWith(answer(event.request));
});

self.addEventListener('message', event => {
	const done = obey(event.data as Message).then(
		() => event.ports[0]?.postMessage('done'),
		() => event.ports[0]?.postMessage('failed'),
	);
	event.waitUntil(done);
});
