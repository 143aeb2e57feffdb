import {isCall, type Outcome, outcomeOf, type Report} from './report.ts';
import type {Scale} from './scale.ts';

/** One report, and the line on which it is drawn. */
export interface Mark {
	readonly report: Report;
	readonly line: number;
}

/** Where something is drawn: pixels from the upper left of its track. */
export interface Box {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** What a box depends on beside its mark. */
export interface Frame {
	readonly scale: Scale;
	/** Of the track, in pixels. */
	readonly width: number;
	readonly height: number;
	/** How many lines the calls, and the grants, share the height of. */
	readonly lines: {readonly calls: number; readonly grants: number};
}

/** The colours of what is drawn. */
export type Tint = Outcome | 'grant';

const margin = 10;
const grants = {top: 24, height: 17};
const calls = {top: 46, below: 6};
const dot = 10;

/** Calls are thin lines below, grants bars above them that cannot be overlooked, and events dots on top. */
export function boxOf({report, line}: Mark, {scale, width, height, lines}: Frame): Box {
	const {kind, start} = report;
	const toPixels = (width - 2 * margin) / scale.span();
	const x = margin + scale.place(start) * toPixels;
	if (kind === 'event') return {x: x - dot / 2, y: 7, width: dot, height: dot};
	// What is under way reaches as far as its burst does.
	const end = report.end ?? scale.burstOf(start)?.end ?? start;
	const length = (scale.place(end) - scale.place(start)) * toPixels;
	if (!isCall(report)) {
		const share = grants.height / lines.grants;
		return {x, y: grants.top + line * share, width: Math.max(length, 5), height: Math.max(share, 2)};
	}
	const share = (height - calls.top - calls.below) / lines.calls;
	// Whole pixels: of fractions, forty lines would make a pattern of their own. Where there is room, a gap tells them apart.
	const thickness = share < 3 ? Math.ceil(share) : Math.floor(share) - 1;
	return {x, y: Math.round(calls.top + line * share), width: Math.max(length, 2), height: thickness};
}

/** The colour of a report: a grant that went well has one of its own. */
export function tintOf(report: Report): Tint {
	const outcome = outcomeOf(report);
	return report.kind === 'grant' && outcome === 'good' ? 'grant' : outcome;
}

/** How far a point is from a box, in pixels. */
export function distance(x: number, y: number, box: Box): number {
	return Math.hypot(Math.max(box.x - x, 0, x - box.x - box.width), Math.max(box.y - y, 0, y - box.y - box.height));
}
