import {createCanvas} from './canvas.ts';
import {createLines, type Lines} from './lines.ts';
import {type Box, boxOf, distance, type Frame, type Mark} from './mark.ts';
import {outline, paintMark, paintWord} from './paint.ts';
import type {Palette} from './palette.ts';
import {detailOf, isCall, outcomeOf, type Report, summaryOf} from './report.ts';
import type {Scale} from './scale.ts';

/** The drawing of one lane. It is a slider: arrow keys step through its marks, which a screen reader then reads. */
export interface Track {
	/** Takes a report in, in the place of an earlier one of the same id. */
	add(report: Report): void;
	/** Draws all. */
	paint(palette: Palette): void;
	/** Forgets what the scale shows no longer. Gives the ids. */
	prune(): string[];
	clear(): void;
}

/** Hears which mark is pointed at or stepped to, and where it is: undefined for none. */
export type Point = (canvas: HTMLElement, mark: Mark | undefined, box: Box | undefined) => void;

const fewestLines = 12;
/** How far from a mark it is still pointed at, in pixels. */
const near = 6;
const nothing = 'nothing yet';

/** A track in a section of the page. */
export function createTrack(section: HTMLElement, scale: Scale, point: Point): Track {
	const [summary, element] = [section.querySelector('.summary'), section.querySelector('canvas')];
	if (!summary || !element) throw new Error('The lane has no track');
	const canvas = createCanvas(element);
	const marks = new Map<string, Mark>();
	const lines = {calls: createLines(), grants: createLines()};
	/** When the burst began that is being drawn: each has its lines to itself. */
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
		const [grants, ...rest] = parts;
		const strong = document.createElement('strong');
		strong.textContent = grants ?? '';
		summary.replaceChildren(...(grants === undefined ? [nothing] : [strong, ` ${rest.join(', ')}`]));
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
		const next = stepOf(
			event.key,
			order.findIndex(({report}) => report.id === selected),
			order.length,
		);
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
			const begin = scale.burstOf(report.start)?.start;
			if (begin !== burst) for (const each of [lines.calls, lines.grants]) each.clear();
			burst = begin;
			marks.set(report.id, {report, line: lineOf(isCall(report) ? lines.calls : lines.grants, report)});
			isSummed = false;
		},
		paint(palette) {
			if (!isSummed) describe();
			isSummed = true;
			const context = canvas.wipe();
			const now = frame();
			const isWords = section.classList.contains('words');
			let free = 0;
			for (const mark of marks.values()) {
				if (isWords) free = paintWord(context, palette, boxOf(mark, now), mark.report.text, free);
				else paintMark(context, palette, boxOf(mark, now), mark.report, now.height);
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
			burst = undefined;
			select(undefined);
		},
	};
}

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

function lineOf(lines: Lines, report: Report): number {
	const {id, kind, call = id, start, end} = report;
	if (kind === 'event') return 0;
	const line = lines.take(call, start);
	// A call that was refused comes again, on the line that it has.
	const comesAgain = kind === 'call' && call !== id && outcomeOf(report) === 'refused';
	if (end !== undefined) lines.free(call, end, !comesAgain);
	return line;
}

/** Where a key leads, from one of so many marks. */
function stepOf(key: string, index: number, count: number): number | undefined {
	const last = count - 1;
	const steps: Readonly<Record<string, number>> = {
		ArrowRight: index + 1,
		ArrowUp: index + 1,
		PageUp: index + 10,
		ArrowLeft: index - 1,
		ArrowDown: index - 1,
		PageDown: index - 10,
		Home: 0,
		End: last,
	};
	const step = steps[key];
	return step === undefined || count === 0 ? undefined : Math.min(Math.max(step, 0), last);
}
