// The page has no framework. Most of it is static HTML, and what changes is drawn on canvases, which a framework leaves to us.
// What remains is to set a few texts: with a framework the source would not be shorter, and the page would be larger.
import ky from 'ky';
import {createBatch} from './batch.ts';
import {createList} from './drawer/list.ts';
import {startDrawer} from './drawer/drawer.ts';
import {createTimeline} from './drawing/timeline.ts';
import {element, part} from './elements.ts';
import {createPageLogin} from './login.ts';
import type {Report} from './report.ts';
import type {Place} from './session.ts';
import {startStage} from './stage/stage.ts';
import {startStory} from './story/story.ts';

/** The number of this tab. It is kept by the tab alone, so that a page that is loaded again has the same name. */
const number = (sessionStorage['playground-tab'] ??= String(
	(localStorage['playground-tabs'] = Number(localStorage['playground-tabs'] ?? 0) + 1),
));
const name = `tab ${number}`;

const list = createList(element('requests', HTMLElement));
const timeline = createTimeline(part(element('drawer', HTMLElement), '.timeline', HTMLElement), {
	// What other tabs do is drawn in a lane of its own.
	laneOf: ({lane, who}) => (lane !== 'tab' ? lane : who === name ? 'here' : 'elsewhere'),
});

async function start(): Promise<void> {
	const place = await ky.get('/place').json<Place>();
	const login = createPageLogin(place);
	const hasComeBack = login.isCallback();
	startStory(place, list.add, hasComeBack);
	startStage(place, name, list.add);
	// The drawer shows what comes back from the server, so that all tabs and programs are drawn in the same way.
	const report = createBatch(reports => ky.post('/reports', {json: reports}));
	startDrawer({place, name, login, hasComeBack, report}, () => {
		list.clear();
		timeline.clear();
	});
	element('name', HTMLElement).textContent = name;
}

const feed = new EventSource('/events');
feed.addEventListener('message', ({data}) => {
	const reports = JSON.parse(data as string) as Report[]; // as the hub writes it
	timeline.add(reports);
	reports.forEach(list.add);
});
feed.addEventListener('mood', ({data}) => {
	element('mood', HTMLSelectElement).value = JSON.parse(data as string) as string; // as the hub writes it
});
feed.addEventListener('open', () => void start(), {once: true});
element('trace', HTMLElement).textContent = (await ky.get('/trace').json<string[]>()).join('\n').trim();
