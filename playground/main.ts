import ky, {type KyInstance} from 'ky';
import {type Auth, type AuthToken, createAuth, isRegrantError, memoryStore, type TokenStore} from 'regrant';
import {webStorage} from 'regrant/web';
import {createLane} from './lane.ts';
import {createRecipe, type Login} from './recipe.ts';
import type {Report} from './report.ts';
import {createTimeline} from './timeline.ts';

interface Place {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly api: string;
}

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
	const found = document.getElementById(id);
	if (!(found instanceof kind)) throw new Error(`The page has no ${id}`);
	return found;
}

const status = element('status', HTMLElement);
const timeline = createTimeline(element('timeline', HTMLElement), element('requests', HTMLElement));

/** Kept by the tab alone, so that a page that is loaded again goes by the same name. */
const tab = (sessionStorage['playground-tab'] ??= String(
	(localStorage['playground-tabs'] = Number(localStorage['playground-tabs'] ?? 0) + 1),
));

const waiting: Report[] = [];

/** Together, since a thousand calls are a thousand reports. The page draws what comes back from the server, like all others. */
function report(entry: Report): void {
	if (waiting.push(entry) > 1) return;
	setTimeout(() => void fetch('/reports', {method: 'POST', body: JSON.stringify(waiting.splice(0))}), 50);
}

const lane = createLane(`tab ${tab}`, report);
const recipeLane = createLane(`recipe in tab ${tab}`, report);

const stores: Readonly<Record<string, () => TokenStore>> = {
	localStorage: () => webStorage('playground-session'),
	sessionStorage: () => webStorage('playground-session', sessionStorage),
	memory: memoryStore,
};

interface Session {
	readonly auth: Auth;
	readonly api: KyInstance;
	close(): void;
}

function connect({tokenEndpoint, revocationEndpoint, api: baseUrl}: Place, store: TokenStore): Session {
	const auth = createAuth({
		tokenEndpoint,
		revocationEndpoint,
		clientId: 'app',
		store,
		fetch: lane.fetch,
		origins: [baseUrl],
	});
	const close = lane.watch(auth);
	return {auth, api: ky.extend({baseUrl, fetch: lane.fetch, hooks: auth.hooks, retry: 0, timeout: 60_000}), close};
}

/** Makes calls, and tells what became of them. */
async function send(api: KyInstance, count: number, signal?: AbortSignal): Promise<string> {
	const options = {throwHttpErrors: false, ...(signal && {signal})};
	const calls = await Promise.allSettled(Array.from({length: count}, () => api.get('accounts', options)));
	const outcomes = new Map<string, number>();
	for (const call of calls) {
		const outcome = call.status === 'fulfilled' ? `answered ${call.value.status}` : reasonOf(call.reason);
		outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	}
	return `${count} sent: ${[...outcomes].map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`;
}

function reasonOf(error: unknown): string {
	if (isRegrantError(error)) return `${error.name} (${error.code})`;
	return error instanceof Error ? error.name : 'failed';
}

async function start(): Promise<void> {
	const place = await ky.get('/place').json<Place>();
	const login = async (): Promise<AuthToken & Login> => ky.post('/login').json<AuthToken & Login>();
	let session = connect(place, stores['localStorage']?.() ?? memoryStore());
	let recipe: KyInstance | undefined;
	let leaving = new AbortController();

	const actions: Readonly<Record<string, () => Promise<string>>> = {
		'send-1': async () => send(session.api, 1, leaving.signal),
		'send-40': async () => send(session.api, 40, leaving.signal),
		'send-1000': async () => send(session.api, 1_000, leaving.signal),
		abort: async () => {
			leaving.abort();
			leaving = new AbortController();
			return 'all calls under way were aborted';
		},
		expire: async () => {
			await ky.post('/expire');
			return 'the API refuses every access token that there is';
		},
		revoke: async () => {
			await ky.post('/revoke');
			return 'the server takes no refresh token that there is';
		},
		'sign-in': async () => {
			await session.auth.setToken(await login());
			return 'signed in';
		},
		'sign-out': async () => {
			await session.auth.signOut();
			return 'signed out';
		},
		'new-tab': async () => {
			window.open('/', '_blank', 'noopener');
			return 'another tab on the same session was opened';
		},
		'recipe-40': async () => {
			recipe ??= createRecipe(
				{baseUrl: place.api, tokenEndpoint: place.tokenEndpoint, fetch: recipeLane.fetch},
				await login(),
			);
			return `by the recipe, ${await send(recipe.extend({retry: 1}), 40)}`;
		},
		'recipe-sign-in': async () => {
			recipe = undefined;
			return 'the recipe has another session to lose';
		},
		clear: async () => {
			timeline.clear();
			return 'cleared';
		},
	};
	for (const [id, action] of Object.entries(actions)) {
		element(id, HTMLButtonElement).addEventListener('click', () => void show(action));
	}
	const mood = element('mood', HTMLSelectElement);
	mood.addEventListener('change', () => {
		void show(async () => {
			await ky.post('/mood', {json: mood.value});
			return `the token endpoint is ${mood.value}`;
		});
	});
	const offline = element('offline', HTMLInputElement);
	offline.addEventListener('change', () => {
		lane.setOffline(offline.checked);
		status.textContent = offline.checked ? 'this tab is offline' : 'this tab is online';
	});
	const store = element('store', HTMLSelectElement);
	store.addEventListener('change', () => {
		session.close();
		session = connect(place, stores[store.value]?.() ?? memoryStore());
		status.textContent = `the session lives in ${store.value}`;
	});
	element('name', HTMLElement).textContent = lane.name;
}

async function show(action: () => Promise<string>): Promise<void> {
	status.textContent = '…';
	try {
		status.textContent = await action();
	} catch (error) {
		status.textContent = reasonOf(error);
	}
}

const feed = new EventSource('/events');
feed.addEventListener('message', ({data}) => timeline.add(JSON.parse(data as string) as Report[]));
feed.addEventListener('open', () => void start(), {once: true});
void ky
	.get('/trace')
	.json<string[]>()
	.then(lines => {
		element('trace', HTMLElement).textContent = lines.join('\n').trim();
	});
