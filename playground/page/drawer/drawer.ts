import ky, {type KyInstance} from 'ky';
import {isRegrantError} from 'regrant';
import type {Login} from 'regrant/login';
import {describeOutcomes, type Outcomes, send} from '../calls.ts';
import {element} from '../elements.ts';
import {createLane, type Lane} from '../lane.ts';
import type {Report} from '../report.ts';
import {openSession, type Place, type Session} from '../session.ts';
import {expire, signIn} from '../sign-in.ts';
import {openStore, sharedStore, type StoreName, storeNames} from '../stores.ts';
import {connectByRecipe} from '../story/usual-recipe.ts';
import {createPanel, type Panel} from './panel.ts';
import {createSessionLine} from './session-line.ts';

/** What the controls work on. The session changes with the store, the recipe with each login. */
interface Workbench {
	readonly place: Place;
	readonly lane: Lane;
	readonly recipeLane: Lane;
	session: Session;
	recipe: KyInstance | undefined;
	/** Aborts the calls that are under way. */
	leaving: AbortController;
	/** Opens a session in another store. */
	open(store: StoreName): Session;
}

const crowd = 40;

/** The options of the drawer. */
export interface DrawerOptions {
	readonly place: Place;
	/** The name of this tab. */
	readonly name: string;
	readonly login: Login;
	/** Whether the browser has come back from a login. */
	readonly hasComeBack: boolean;
	readonly report: (report: Report) => void;
}

/** Starts the controls for maintainers. */
export function startDrawer({place, name, login, hasComeBack, report}: DrawerOptions, clear: () => void): void {
	const lane = createLane('tab', name, report);
	const line = createSessionLine(element('session', HTMLElement));
	const open = (kind: StoreName): Session => {
		const session = openSession(place, lane, {store: openStore(kind, 'playground session')});
		const unfollow = line.follow(session.auth);
		return {
			...session,
			close() {
				unfollow();
				session.close();
			},
		};
	};
	const bench: Workbench = {
		place,
		lane,
		recipeLane: createLane('recipe', `recipe in ${name}`, report),
		session: open(sharedStore),
		recipe: undefined,
		leaving: new AbortController(),
		open,
	};
	const panel = createPanel();
	connectSession(panel, bench, login);
	connectCalls(panel, bench);
	connectTrouble(panel, bench, place.mood);
	panel.onClick('clear', () => {
		clear();
		return 'cleared';
	});
	if (!hasComeBack) return;
	element('drawer', HTMLDetailsElement).open = true;
	element('sign-in', HTMLElement).focus();
	panel.run('sign-in', () => finishLogin(bench, login));
}

/** Takes the session from the login that the browser has come back from, into the store that was chosen before. */
async function finishLogin(bench: Workbench, login: Login): Promise<string> {
	try {
		const {token, returnTo} = await login.finish();
		history.replaceState(null, '', returnTo);
		useStore(bench, new URLSearchParams(location.search).get('store'));
		await bench.session.auth.setToken(token);
		return 'signed in';
	} catch (error) {
		// The message says what to do.
		if (isRegrantError(error)) return error.message;
		throw error;
	}
}

async function sendByRecipe(bench: Workbench): Promise<Outcomes> {
	const {place, recipeLane, leaving} = bench;
	const {api: baseUrl, tokenEndpoint} = place;
	bench.recipe ??= await connectByRecipe({baseUrl, tokenEndpoint, login: await signIn(), fetch: recipeLane.fetch});
	return send(bench.recipe, recipeLane, crowd, leaving.signal);
}

/** Moves the session to another store. */
function useStore(bench: Workbench, chosen: string | null): StoreName {
	const kind = storeNames.find(name => name === chosen) ?? sharedStore;
	element('store', HTMLSelectElement).value = kind;
	bench.session.close();
	bench.session = bench.open(kind);
	return kind;
}

function connectSession(panel: Panel, bench: Workbench, login: Login): void {
	const select = element('store', HTMLSelectElement);
	select.replaceChildren(...storeNames.map(name => new Option(name, name, name === sharedStore, name === sharedStore)));
	panel.onClick('sign-in', async () => {
		location.href = await login.start({returnTo: `/?store=${select.value}`});
		return '…';
	});
	panel.onClick('sign-out', async () => {
		await bench.session.auth.signOut();
		return 'signed out';
	});
	panel.onClick('new-tab', () => {
		window.open('/', '_blank', 'noopener');
		return 'another tab with the same session was opened';
	});
	panel.onChange('store', () => `the session lives in ${useStore(bench, select.value)}`);
}

function connectCalls(panel: Panel, bench: Workbench): void {
	for (const count of [1, crowd, 1_000]) {
		panel.onClick(`send-${count}`, async () =>
			describeOutcomes(await send(bench.session.api, bench.lane, count, bench.leaving.signal)),
		);
	}
	panel.onClick('abort', () => {
		bench.leaving.abort();
		bench.leaving = new AbortController();
		return 'all calls under way were aborted';
	});
	panel.onClick('recipe', async () => describeOutcomes(await sendByRecipe(bench)));
	panel.onClick('recipe-sign-in', () => {
		bench.recipe = undefined;
		return 'the recipe has another session to lose';
	});
	for (const program of ['worker', 'worker-hang-up', 'deno']) {
		panel.onClick(program, () => ky.post(`/${program}`, {timeout: false}).json<string>());
	}
}

function connectTrouble(panel: Panel, {lane, recipeLane}: Workbench, present: string): void {
	const offline = element('offline', HTMLInputElement);
	const mood = element('mood', HTMLSelectElement);
	mood.value = present;
	panel.onClick('expire', async () => {
		await expire();
		return 'the API refuses every access token that there is';
	});
	panel.onClick('revoke', async () => {
		await ky.post('/revoke');
		return 'the server accepts no refresh token that there is';
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
