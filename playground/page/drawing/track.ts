import {detailOf, isCall, outcomeOf, type Report, summaryOf} from '../report.ts';
import {createCanvas} from './canvas.ts';
import {createLines, type Lines} from './lines.ts';
import {type Box, boxOf, distance, type Frame, type Mark} from './mark.ts';
import {outline, paintCaptions, paintMark, paintShadow, paintWord} from './paint.ts';
import type {Palette} from './palette.ts';
import type {Scale} from './scale.ts';
import {stepOf} from './step.ts';

/** The drawing of one lane. It is a slider: arrow keys step through its marks, and a screen reader reads each of them. */
export interface Track {
	/** Draws a report. It replaces an earlier one with the same id. */
	add(report: Report): void;
	/** Draws everything. */
	paint(palette: Palette): void;
	/** Forgets what the scale no longer shows. Returns the ids. */
	prune(): string[];
	clear(): void;
}

/** Called with the mark that the user points at or steps to, and with its box. Both are undefined if there is no such mark. */
export type Point = (canvas: HTMLElement, mark: Mark | undefined, box: Box | undefined) => void;

const fewestLines = 12;
const nothing = 'nothing yet';

/** Creates the track in a section of the page. A section with `data-late` is hidden until it has something to show. */
export function createTrack(section: HTMLElement, scale: Scale, point: Point): Track {
	const [summary, element] = [section.querySelector('.summary'), section.querySelector('canvas')];
	if (!element) throw new Error('The lane has no track');
	const canvas = createCanvas(element);
	const marks = new Map<string, Mark>();
	const lines = {calls: createLines(), grants: createLines()};
	const isWords = section.classList.contains('words');
	const captions = {grants: section.dataset['grants'] ?? 'refresh', calls: 'calls'};
	/** When the current burst began. Each burst begins with all lines free. */
	let burst: number | undefined;
	let selected: string | undefined;
	let isSummed = true;

	const frame = (): Frame => ({
		scale,
		width: canvas.width,
		height: canvas.height,
		lines: {calls: Math.max(lines.calls.count, fewestLines), grants: Math.max(lines.grants.count, 1)},
	});
	const inOrder = (): Mark[] => [...marks.values()].toSorted((one, other) => one.report.start - other.report.start);

	const describe = (): void => {
		const parts = summaryOf([...marks.values()].map(({report}) => report));
		summarise(summary, parts);
		const mark = marks.get(selected ?? '');
		element.ariaValueMin = '0';
		element.ariaValueMax = String(marks.size);
		element.ariaValueNow = String(mark ? inOrder().indexOf(mark) + 1 : 0);
		element.ariaValueText = mark ? detailOf(mark.report) : parts.join(', ') || nothing;
	};

	const select = (mark: Mark | undefined): void => {
		selected = mark?.report.id;
		describe();
		point(element, mark, mark && boxOf(mark, frame()));
	};

	element.addEventListener('keydown', event => {
		const order = inOrder();
		const index = order.findIndex(({report}) => report.id === selected);
		const next = stepOf(event.key, index, order.length);
		if (next === undefined) return;
		event.preventDefault();
		select(order[next]);
	});
	element.addEventListener('blur', () => select(undefined));
	element.addEventListener('pointermove', ({offsetX, offsetY}) => {
		const nearest = nearestOf([...marks.values()], frame(), offsetX, offsetY);
		point(element, nearest?.mark, nearest?.box);
	});
	element.addEventListener('pointerleave', () => point(element, undefined, undefined));

	return {
		add(report) {
			section.hidden = false;
			const begin = scale.burstOf(report.start)?.start;
			if (begin !== burst) for (const each of [lines.calls, lines.grants]) each.clear();
			burst = begin;
			const line = lineOf(isCall(report) ? lines.calls : lines.grants, report, marks.get(report.id));
			marks.set(report.id, {report, line});
			isSummed = false;
		},
		paint(palette) {
			if (!isSummed) describe();
			isSummed = true;
			const context = canvas.wipe();
			const now = frame();
			let free = 0;
			if (!isWords) paintCaptions(context, palette, now, captions);
			for (const mark of loneGrants([...marks.values()])) paintShadow(context, palette, boxOf(mark, now), now.height);
			for (const mark of marks.values()) {
				if (isWords) free = paintWord(context, palette, boxOf(mark, now), mark.report.text, free, now.width);
				else paintMark(context, palette, boxOf(mark, now), mark.report);
			}
			const chosen = marks.get(selected ?? '');
			if (chosen) outline(context, palette, boxOf(chosen, now));
		},
		prune() {
			const old = [...marks].filter(([, {report}]) => !scale.burstOf(report.start)).map(([id]) => id);
			for (const id of old) marks.delete(id);
			if (old.length > 0) isSummed = false;
			return old;
		},
		clear() {
			marks.clear();
			for (const each of [lines.calls, lines.grants]) each.clear();
			burst = undefined;
			section.hidden = 'late' in section.dataset;
			select(undefined);
		},
	};
}

/** Gives the token requests that went well and ran alone: the calls of that time waited for them. */
function loneGrants(marks: readonly Mark[]): Mark[] {
	const grants = marks.filter(({report}) => report.kind === 'grant');
	const isLone = ({report: {id, start, end = Infinity}}: Mark): boolean =>
		grants.every(({report}) => report.id === id || report.start > end || (report.end ?? Infinity) < start);
	return grants.filter(mark => outcomeOf(mark.report) === 'good' && isLone(mark));
}

/** Writes the sum of a lane, with the token requests in bold. */
function summarise(element: Element | null, [grants, ...rest]: readonly string[]): void {
	const strong = document.createElement('strong');
	strong.textContent = grants ?? '';
	element?.replaceChildren(...(grants === undefined ? [nothing] : [strong, ` ${rest.join(', ')}`]));
}

/** How close to a mark the pointer must be, in pixels. */
const near = 6;

function nearestOf(
	marks: readonly Mark[],
	frame: Frame,
	x: number,
	y: number,
): {readonly mark: Mark; readonly box: Box} | undefined {
	const [nearest] = marks
		.map(mark => {
			const box = boxOf(mark, frame);
			return {mark, box, away: distance(x, y, box)};
		})
		.filter(({away}) => away <= near)
		.toSorted((one, other) => one.away - other.away);
	return nearest;
}

function lineOf(lines: Lines, report: Report, known: Mark | undefined): number {
	const {id, kind, call = id, start, end, caller} = report;
	if (kind === 'event') return 0;
	// When a call is settled, another call may already use its line. The mark stays where it is.
	const line = known?.line ?? lines.take(call, start);
	// After a 401 the call may be retried, and keeps its line until it is settled.
	const comesAgain = kind === 'call' && call !== id && !caller && outcomeOf(report) === 'retried';
	if (end !== undefined) lines.free(call, end, !comesAgain);
	return line;
}
