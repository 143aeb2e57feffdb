import {prefersReducedMotion} from '../motion.ts';
import {detailOf, type Report} from '../report.ts';
import {readPalette} from './palette.ts';
import {createRuler} from './ruler.ts';
import {createScale} from './scale.ts';
import {createTip} from './tip.ts';
import {createTrack, type Point, type Track} from './track.ts';

/** Draws what lanes do, one below the other, on one scale of time. */
export interface Timeline {
	/** Draws reports. A later report replaces an earlier one with the same id. */
	add(reports: readonly Report[]): void;
	/** Empties all lanes. Those that appear when they are first used disappear. */
	clear(): void;
}

/** How a timeline differs from the ordinary one. */
export interface TimelineOptions {
	/** Which lane a report is drawn in. Default: the one that the report names. */
	readonly laneOf?: (report: Report) => string;
	/** Milliseconds that the width shows at least. */
	readonly shortestSpan?: number;
}

/** How often requests that are under way are drawn again, in milliseconds. */
const refresh = 40;

/**
Creates a timeline in an element that has a section for each lane. It is painted on canvases: as elements, a thousand calls
would keep the browser busier than the calls themselves.
*/
export function createTimeline(
	container: HTMLElement,
	{laneOf = ({lane}) => lane, shortestSpan}: TimelineOptions = {},
): Timeline {
	const scale = createScale(shortestSpan);
	const tip = createTip(container);
	const tracks = new Map<string, Track>();
	const open = new Map<string, Report>();
	let isPending = false;

	const point: Point = (element, mark, box) => {
		if (mark && box) tip.show(element, box, detailOf(mark.report));
		else tip.hide();
		plan();
	};
	for (const section of container.querySelectorAll<HTMLElement>('[data-lane]')) {
		tracks.set(section.dataset['lane'] ?? '', createTrack(section, scale, point));
	}
	const canvas = container.querySelector<HTMLCanvasElement>('.ruler');
	if (!canvas) throw new Error('The timeline has no ruler');
	const ruler = createRuler(canvas, scale);

	const paint = (): void => {
		isPending = false;
		// Requests that are under way grow.
		if (open.size > 0) scale.include(Math.min(...[...open.values()].map(({start}) => start)), Date.now());
		for (const id of [...tracks.values()].flatMap(track => track.prune())) open.delete(id);
		const palette = readPalette();
		for (const part of [...tracks.values(), ruler]) part.paint(palette);
	};

	/** Paints with the next frame of the browser, once. */
	const plan = (): void => {
		if (!isPending) requestAnimationFrame(paint);
		isPending = true;
	};

	setInterval(() => {
		if (open.size > 0 && !prefersReducedMotion()) plan();
	}, refresh);
	new ResizeObserver(() => {
		tip.hide();
		plan();
	}).observe(container);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', plan);

	return {
		add(reports) {
			for (const report of reports) {
				const track = tracks.get(laneOf(report));
				if (!track) continue;
				if (report.end === undefined) open.set(report.id, report);
				else open.delete(report.id);
				scale.include(report.start, report.end ?? report.start);
				track.add(report);
			}
			plan();
		},
		clear() {
			scale.clear();
			open.clear();
			for (const track of tracks.values()) track.clear();
			plan();
		},
	};
}
