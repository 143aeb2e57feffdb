import ky from 'ky';
import {reasonOf} from '../calls.ts';
import {createTimeline} from '../drawing/timeline.ts';
import {element, part} from '../elements.ts';
import {createLane} from '../lane.ts';
import {createRecording, type Recording} from '../recording.ts';
import type {Report} from '../report.ts';
import type {Place} from '../session.ts';
import {expire, signIn} from '../sign-in.ts';
import {takeTurn} from '../turn.ts';
import {verdictOf} from '../verdict.ts';
import {openFrame} from './frame.ts';
import {createOutcome, type Outcome} from './outcome.ts';
import type {Scene, Stage} from './scene.ts';
import {scenes} from './scenes/index.ts';
import {openTab, type Tab, type TabOptions} from './tab.ts';
import type {TroubleName} from './troubles.ts';

/** What all scenes of a page have in common. */
interface Props extends Pick<TabOptions, 'place' | 'session'> {
	/** The name of this tab. */
	readonly tab: string;
	/** Gets all reports, drawn or not. */
	log(report: Report): void;
}

/** Starts the stage: one trouble can be chosen at a time, and each has a button that plays it. */
export function startStage(place: Place, tab: string, log: (report: Report) => void): void {
	const section = element('stage', HTMLElement);
	const timeline = createTimeline(part(section, '.timeline', HTMLElement));
	const props: Props = {place, tab, log, session: `playground stage of ${tab}`};
	/** The run that is drawn. Another trouble may be chosen while it goes on. */
	let drawn: symbol | undefined;

	const clear = (): void => {
		drawn = undefined;
		timeline.clear();
	};

	for (const panel of section.querySelectorAll<HTMLElement>('.trouble')) {
		const name = panel.dataset['trouble'] as TroubleName; // parts-of-page.ts writes the attribute
		const outcome = createOutcome(panel);
		const input = part(section, `input[value="${name}"]`, HTMLInputElement);

		// A browser may restore the choice that was made before the page was loaded again.
		panel.classList.toggle('chosen', input.checked);
		section.addEventListener('change', () => {
			panel.classList.toggle('chosen', input.checked);
			outcome.clear();
			clear();
		});

		part(panel, 'button', HTMLButtonElement).addEventListener('click', () => {
			clear();
			outcome.wait();
			const run = Symbol(name);
			drawn = run;
			const isDrawn = (): boolean => drawn === run;
			const recording = createRecording(report => {
				if (isDrawn()) timeline.add([report]);
			});
			void takeTurn(async () => {
				const show = await play(scenes[name], recording, props);
				if (isDrawn()) show(outcome);
			});
		});
	}
}

/** Plays a scene. Returns a function that shows what it came to. */
async function play(
	scene: Scene,
	recording: Recording,
	{place, tab: who, log, session}: Props,
): Promise<(outcome: Outcome) => void> {
	const tabs: Tab[] = [];
	const report = (next: Report): void => {
		recording.add(next);
		log(next);
	};
	const keep = (tab: Tab): Tab => {
		tabs.push(tab);
		return tab;
	};
	const options = {place, session, report};
	const {note} = createLane('server', 'the stage', report);
	const stage: Stage = {
		async openTab({timeout} = {}) {
			const tab = keep(openTab({...options, lane: 'tab', who, ...(timeout !== undefined && {timeout})}));
			const login = await signIn();
			await tab.start(login);
			await expire(login.access_token);
			return tab;
		},
		openOtherTab: async () => keep(await openFrame({...options, lane: 'other', who: 'the other tab'})),
		setMood: async mood => void (await ky.post('/mood', {json: mood})),
		note,
		reports: recording.reports,
	};
	try {
		const {tab, outcomes, wantsSignOut = false, check} = await scene(stage);
		recording.stop();
		const isSignedIn = await tab.isSignedIn();
		const verdict = verdictOf({reports: recording.reports(), outcomes, isSignedIn});
		return outcome => outcome.show({verdict, isGood: isSignedIn !== wantsSignOut, values: check(isSignedIn)});
	} catch (error) {
		return outcome => outcome.fail(reasonOf(error));
	} finally {
		await stage.setMood('normal').catch(() => {});
		for (const tab of tabs) tab.close();
	}
}
