import {readPalette} from './palette.ts';
import {detailOf, outcomeOf, type Report} from './report.ts';
import {createRuler} from './ruler.ts';
import {createScale} from './scale.ts';
import {createTip} from './tip.ts';
import {createTrack, type Point, type Track} from './track.ts';

/** Draws what lanes do, one below the other, on one scale of time. */
export interface Timeline {
	/** Draws reports, of which some may be told anew. */
	add(reports: readonly Report[]): void;
	clear(): void;
}

/** How often what is under way is drawn anew, in milliseconds. */
const refresh = 100;

/**
A timeline in an element that has a section for each lane, and a list of the same in words. It is painted: as elements, a
thousand calls would keep the browser busier than they do themselves.

@param own Which tab this is: what the others do is drawn in another lane.
*/
export function createTimeline(container: HTMLElement, list: HTMLElement, own: string): Timeline {
	const scale = createScale();
	const tip = createTip(container);
	const tracks = new Map<string, Track>();
	const items = new Map<string, HTMLElement>();
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

	const trackOf = ({lane, who}: Report): Track | undefined =>
		tracks.get(lane !== 'tab' ? lane : who === own ? 'here' : 'elsewhere');

	const write = (report: Report): void => {
		const item = items.get(report.id) ?? list.appendChild(document.createElement('li'));
		item.textContent = detailOf(report);
		item.className = `${report.kind} ${outcomeOf(report)}`;
		items.set(report.id, item);
	};

	const paint = (): void => {
		isPending = false;
		// What is under way grows.
		if (open.size > 0) scale.include(Math.min(...[...open.values()].map(({start}) => start)), Date.now());
		for (const id of [...tracks.values()].flatMap(track => track.prune())) {
			items.get(id)?.remove();
			items.delete(id);
			open.delete(id);
		}
		const palette = readPalette();
		for (const part of [...tracks.values(), ruler]) part.paint(palette);
	};

	/** Paints with the next frame of the browser, once. */
	const plan = (): void => {
		if (!isPending) requestAnimationFrame(paint);
		isPending = true;
	};

	setInterval(() => {
		if (open.size > 0) plan();
	}, refresh);
	new ResizeObserver(() => {
		tip.hide();
		plan();
	}).observe(container);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', plan);

	return {
		add(reports) {
			for (const report of reports) {
				const track = trackOf(report);
				if (!track) continue;
				if (report.end === undefined) open.set(report.id, report);
				else open.delete(report.id);
				scale.include(report.start, report.end ?? report.start);
				track.add(report);
				write(report);
			}
			plan();
		},
		clear() {
			scale.clear();
			open.clear();
			items.clear();
			list.replaceChildren();
			for (const track of tracks.values()) track.clear();
		},
	};
}
