import {readFileSync} from 'node:fs';
import type {Plugin} from 'vite';
import {type Trouble, troubles} from './page/stage/troubles.ts';

/**
A plugin for Vite that puts parts into the page which stand elsewhere or are there more than once. They are there before any
script runs, so that nothing moves when the page starts.

- `<!-- code usual-recipe -->`: the code of one side of the comparison, and `<!-- lines usual-recipe -->` how long it is.
- `<!-- choices -->` and `<!-- panels -->`: the troubles of the stage.
- `<!-- lanes story -->`: the lanes of a timeline.
- `<!-- legend story -->`: what the colours of a timeline mean.
*/
export function partsOfPage(): Plugin {
	const parts: Readonly<Record<string, (name: string) => string>> = {
		code: name => escape(readShown(name)),
		lines: name => `${countLines(readShown(name))} lines`,
		choices: () => entries.map(choiceOf).join(''),
		panels: () => entries.map(panelOf).join(''),
		lanes: name => (lanes[name] ?? []).map(laneOf).join(''),
		legend: legendOf,
	};
	return {
		name: 'parts-of-page',
		transformIndexHtml: html =>
			html.replaceAll(
				/<!-- (\w+) ?(\S*) -->/g,
				(comment, part: string, name: string) => parts[part]?.(name) ?? comment,
			),
	};
}

/** Reads what a source file of the comparison has between `#region shown` and `#endregion`, without its indentation. */
export function readShown(name: string): string {
	const source = readFileSync(`${import.meta.dirname}/page/story/${name}.ts`, 'utf8');
	const region = /^(\t*)\/\/ #region shown\n([^]*?)\n\t*\/\/ #endregion$/m.exec(source);
	if (!region) throw new Error(`${name}.ts has no region that is shown`);
	const [, indentation = '', text = ''] = region;
	return text.replaceAll(RegExp(`^${indentation}`, 'gm'), '');
}

/** Empty lines do not count. */
const countLines = (code: string): number => code.split('\n').filter(line => line.trim() !== '').length;

const escape = (text: string): string =>
	text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** A verdict with no-break spaces, so that it breaks where the page breaks the real one: between its parts, or at a comma. */
const unbroken = (verdict: string): string => verdict.replaceAll(/(?<![·,]) /g, '\u00A0');

const entries: ReadonlyArray<readonly [string, Trouble]> = Object.entries(troubles);
const [first] = entries;

function choiceOf([name, {title}]: readonly [string, Trouble]): string {
	const checked = name === first?.[0] ? ' checked' : '';
	return `<label><input type="radio" name="trouble" value="${name}"${checked} /> ${escape(title)}</label>`;
}

/**
All panels occupy the same place, and only one of them is visible. The sentences for the outcomes of a run are in the page from the start,
but invisible. They reserve the space, and the page shows them after a run.
*/
function panelOf([name, {title, what, watch, button, verdict, happened, why}]: readonly [string, Trouble]): string {
	return `<section class="trouble${name === first?.[0] ? ' chosen' : ''}" data-trouble="${name}" aria-label="${escape(title)}">
		<p>${escape(what)}</p>
		<p class="watch"><strong>Watch for:</strong> ${escape(watch)}</p>
		<button class="main" type="button">${escape(button)}</button>
		<div class="outcome">
			<div class="reserved">
				<p class="verdict">${escape(unbroken(verdict))}</p>
				<p class="happened">${escape(happened)}</p>
				<p class="why">${escape(why)}</p>
			</div>
			<div class="told" role="status">
				<p class="verdict">Not played yet.</p>
				<p class="happened"></p>
				<p class="why"></p>
			</div>
		</div>
	</section>`;
}

interface Lane {
	readonly lane: string;
	readonly title: string;
	/** The name of the drawing for screen readers. No two drawings of the page have the same name. */
	readonly label?: string;
	/** What is below the title: a sum, a verdict for which space is reserved, or nothing. */
	readonly below?: 'sum' | {readonly verdict: string};
	/** The lane shows texts instead of requests. */
	readonly isWords?: boolean;
	/** The lane is hidden until it is first used. */
	readonly isLate?: boolean;
	/** The name of the token requests in this lane. */
	readonly grants?: string;
}

const lanes: Readonly<Record<string, readonly Lane[]>> = {
	story: [
		{
			lane: 'regrant',
			title: 'With regrant',
			below: {verdict: '1 refresh · 40 calls answered · Ann is still signed in'},
		},
		{lane: 'recipe', title: 'With the usual recipe', below: {verdict: '40 refreshes, 39 refused · Ann is signed out'}},
	],
	stage: [
		{lane: 'server', title: 'Trouble', label: 'Trouble on the stage', isWords: true},
		{lane: 'tab', title: 'This tab', label: 'This tab on the stage'},
		{lane: 'other', title: 'The other tab', isLate: true},
	],
	drawer: [
		{lane: 'server', title: 'Trouble', isWords: true},
		{lane: 'here', title: 'This tab', below: 'sum'},
		{lane: 'recipe', title: 'The usual recipe', label: 'The recipe', below: 'sum', isLate: true},
		{lane: 'elsewhere', title: 'Other tabs', below: 'sum', isLate: true},
		{lane: 'worker', title: 'Worker, three isolates', below: 'sum', isLate: true, grants: 'grant'},
		{lane: 'deno', title: 'Deno scripts', below: 'sum', isLate: true, grants: 'grant'},
	],
};

function laneOf({
	lane,
	title,
	label = title,
	below,
	isWords = false,
	isLate = false,
	grants = 'refresh',
}: Lane): string {
	const text =
		below === undefined
			? ''
			: below === 'sum'
				? '<p class="summary">nothing yet</p>'
				: `<p class="verdict room" data-room="${escape(unbroken(below.verdict))}"><output></output></p>`;
	return `<section class="lane${isWords ? ' words' : ''}" data-lane="${lane}" data-grants="${grants}"${isLate ? ' data-late hidden' : ''}>
		<h3>${escape(title)}</h3>
		${text}
		<canvas class="track" role="slider" tabindex="0" aria-label="${escape(label)}, step by step" aria-valuenow="0"></canvas>
	</section>`;
}

function legendOf(place: string): string {
	const meanings = {
		grant: place === 'drawer' ? 'token request' : 'refresh',
		good: 'call answered',
		retried: '401, retried',
		refused: '401, given to the caller',
		failed: 'refused or failed',
		open: 'under way',
		...(place !== 'story' && {event: 'event or revocation'}),
	};
	const items = Object.entries(meanings).map(
		([name, meaning]) => `<span><i class="swatch ${name}"></i> ${meaning}</span>`,
	);
	return `<p class="legend">${items.join('\n')}</p>`;
}
