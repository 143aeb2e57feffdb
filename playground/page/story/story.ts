import type {KyInstance} from 'ky';
import {isSignedIn, reasonOf, send} from '../calls.ts';
import {createTimeline} from '../drawing/timeline.ts';
import {element, part} from '../elements.ts';
import {createLane, type Lane} from '../lane.ts';
import {prefersReducedMotion} from '../motion.ts';
import {createRecording, type Recording} from '../recording.ts';
import type {Report} from '../report.ts';
import type {Place} from '../session.ts';
import {expire, signIn} from '../sign-in.ts';
import {takeTurn} from '../turn.ts';
import {type Result, verdictOf, writeVerdict} from '../verdict.ts';
import {connectByRecipe} from './usual-recipe.ts';
import {connectWithRegrant} from './with-regrant.ts';

/** How many calls each side makes at once. */
const crowd = 40;
/** Milliseconds by which each request is delayed, so that people can see what waits for what. */
const latency = 350;
/** Milliseconds that the drawing shows at least. With fewer, it would be rescaled all the time while it grows. */
const shortestSpan = 1_500;

/** The two sides, by the names of their lanes. */
const sides = [
	{name: 'regrant', who: 'with regrant', connect: connectWithRegrant},
	{name: 'recipe', who: 'the recipe', connect: connectByRecipe},
] as const;

/**
Sets up the comparison. It runs whenever its button is pressed, and once by itself, unless the user prefers less motion.

@param isKnown Whether the user has seen the page before and has now come back to it.
*/
export function startStory(place: Place, log: (report: Report) => void, isKnown: boolean): void {
	const section = element('story', HTMLElement);
	const button = element('compare', HTMLButtonElement);
	const timeline = createTimeline(part(section, '.timeline', HTMLElement), {shortestSpan});

	const say = (name: string, text: string, ending: '' | 'good' | 'bad' = ''): void => {
		const verdict = part(section, `[data-lane="${name}"] .verdict`, HTMLElement);
		verdict.dataset['ending'] = ending;
		writeVerdict(part(verdict, 'output', HTMLElement), text);
	};
	const sayToAll = (text: string): void => sides.forEach(({name}) => say(name, text));

	const compare = async (): Promise<void> => {
		timeline.clear();
		sayToAll('Running …');
		try {
			const draw = (report: Report): void => timeline.add([report]);
			const players = await Promise.all(sides.map(side => getReady(side, place, {draw, log})));
			await Promise.all(
				players.map(async player => {
					const result = await callAtOnce(player);
					say(player.name, verdictOf(result), result.isSignedIn ? 'good' : 'bad');
				}),
			);
		} catch (error) {
			sayToAll(`The comparison could not run: ${reasonOf(error)}`);
		}
	};

	const run = (): void => {
		button.textContent = 'Run it again';
		void takeTurn(compare);
	};
	button.addEventListener('click', run);
	if (!isKnown && !prefersReducedMotion()) {
		run();
		return;
	}
	button.textContent = 'Run the comparison';
	sayToAll('Not run yet.');
}

/** A side that is ready to call. Its access token has expired, and it does not know that yet. */
interface Player {
	readonly name: string;
	readonly lane: Lane;
	readonly api: KyInstance;
	readonly recording: Recording;
}

/** The functions that get the reports: `draw` gets those of the forty calls, and `log` gets all. */
interface Watchers {
	draw(report: Report): void;
	log(report: Report): void;
}

async function getReady(
	{name, who, connect}: (typeof sides)[number],
	{api: baseUrl, tokenEndpoint}: Place,
	{draw, log}: Watchers,
): Promise<Player> {
	const recording = createRecording(draw);
	const report = (next: Report): void => {
		recording.add(next);
		log(next);
	};
	const lane = createLane(name, who, report, {latency});
	const login = await signIn();
	const api = await connect({baseUrl, tokenEndpoint, login, fetch: lane.fetch});
	await expire(login.access_token);
	return {name, lane, api, recording};
}

async function callAtOnce({lane, api, recording}: Player): Promise<Result> {
	const outcomes = await send(api, lane, crowd);
	recording.stop();
	// One more call asks the server whether Ann is signed in. It is neither drawn nor counted.
	return {outcomes, reports: recording.reports(), isSignedIn: await isSignedIn(api)};
}
