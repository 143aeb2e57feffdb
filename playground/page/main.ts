import ky, {type KyInstance} from 'ky';
import type {AuthToken} from 'regrant';
import {createBatch} from './batch.ts';
import {element} from './elements.ts';
import {createLane, type Lane} from './lane.ts';
import {createPanel, type Panel} from './panel.ts';
import {createRecipe, type Login} from './recipe.ts';
import type {Report} from './report.ts';
import {send} from './send.ts';
import {connect, type Place, type Session} from './session.ts';
import {createSessionLine} from './session-line.ts';
import {createTimeline} from './timeline.ts';

/** What the page has in hand. The session changes with the store, the recipe with each login. */
interface Workbench {
	readonly lane: Lane;
	readonly recipeLane: Lane;
	readonly place: Place;
	session: Session;
	recipe: KyInstance | undefined;
	/** Aborts the calls that are under way. */
	leaving: AbortController;
}

const crowd = 40;

/** Kept by the tab alone, so that a page that is loaded again goes by the same name. */
const tab = (sessionStorage['playground-tab'] ??= String(
	(localStorage['playground-tabs'] = Number(localStorage['playground-tabs'] ?? 0) + 1),
));
const name = `tab ${tab}`;

const timeline = createTimeline(element('timeline', HTMLElement), element('requests', HTMLElement), name);
const line = createSessionLine(element('session', HTMLElement));
const mood = element('mood', HTMLSelectElement);
const store = element('store', HTMLSelectElement);

const login = async (): Promise<AuthToken & Login> => ky.post('/login').json<AuthToken & Login>();

async function sendByRecipe(bench: Workbench): Promise<string> {
	bench.recipe ??= createRecipe(bench.place, bench.recipeLane, await login());
	return `by the recipe, ${await send(bench.recipe, bench.recipeLane, crowd, bench.leaving.signal)}`;
}

/** The whole story at one click: the same trouble for regrant and for the recipe. */
async function compare(bench: Workbench): Promise<string> {
	const {session, lane, place, recipeLane, leaving} = bench;
	await session.auth.setToken(await login());
	bench.recipe = createRecipe(place, recipeLane, await login());
	await ky.post('/expire');
	const told = await Promise.all([send(session.api, lane, crowd, leaving.signal), sendByRecipe(bench)]);
	return told.join('; ');
}

function connectSession(panel: Panel, bench: Workbench): void {
	panel.onClick('sign-in', async () => {
		await bench.session.auth.setToken(await login());
		return 'signed in';
	});
	panel.onClick('sign-out', async () => {
		await bench.session.auth.signOut();
		return 'signed out';
	});
	panel.onClick('new-tab', () => {
		window.open('/', '_blank', 'noopener');
		return 'another tab on the same session was opened';
	});
	panel.onChange('store', () => {
		bench.session.close();
		bench.session = connect(bench.place, bench.lane, line, store.value);
		return `the session lives in ${store.value}`;
	});
}

function connectCalls(panel: Panel, bench: Workbench): void {
	for (const count of [1, crowd, 1_000]) {
		panel.onClick(`send-${count}`, () => send(bench.session.api, bench.lane, count, bench.leaving.signal));
	}
	panel.onClick('abort', () => {
		bench.leaving.abort();
		bench.leaving = new AbortController();
		return 'all calls under way were aborted';
	});
	panel.onClick('compare', () => compare(bench));
	panel.onClick('recipe', () => sendByRecipe(bench));
	panel.onClick('recipe-sign-in', () => {
		bench.recipe = undefined;
		return 'the recipe has another session to lose';
	});
	for (const program of ['worker', 'worker-hang-up', 'deno']) {
		panel.onClick(program, () => ky.post(`/${program}`, {timeout: false}).json<string>());
	}
}

function connectTrouble(panel: Panel, {lane, recipeLane}: Workbench): void {
	const offline = element('offline', HTMLInputElement);
	panel.onClick('expire', async () => {
		await ky.post('/expire');
		return 'the API refuses every access token that there is';
	});
	panel.onClick('revoke', async () => {
		await ky.post('/revoke');
		return 'the server takes no refresh token that there is';
	});
	panel.onChange('mood', async () => {
		await ky.post('/mood', {json: mood.value});
		return `the token endpoint is ${mood.value}`;
	});
	panel.onChange('offline', () => {
		for (const each of [lane, recipeLane]) each.setOffline(offline.checked);
		return offline.checked ? 'this tab is offline' : 'this tab is online';
	});
}

async function start(): Promise<void> {
	// What is drawn is what comes back from the server, like that of all other lanes.
	const report = createBatch(reports => ky.post('/reports', {json: reports}));
	const lane = createLane('tab', name, report);
	const place = await ky.get('/place').json<Place>();
	mood.value = place.mood;
	const bench: Workbench = {
		lane,
		recipeLane: createLane('recipe', `recipe in ${name}`, report),
		place,
		session: connect(place, lane, line, store.value),
		recipe: undefined,
		leaving: new AbortController(),
	};
	const panel = createPanel();
	connectSession(panel, bench);
	connectCalls(panel, bench);
	connectTrouble(panel, bench);
	panel.onClick('clear', () => {
		timeline.clear();
		return 'cleared';
	});
	element('name', HTMLElement).textContent = name;
}

const feed = new EventSource('/events');
feed.addEventListener('message', ({data}) => timeline.add(JSON.parse(data as string) as Report[])); // as the hub writes it
feed.addEventListener('mood', ({data}) => {
	mood.value = JSON.parse(data as string) as string; // as the hub writes it
});
feed.addEventListener('open', () => void start(), {once: true});
element('trace', HTMLElement).textContent = (await ky.get('/trace').json<string[]>()).join('\n').trim();
