import {isCall, type Outcome, outcomeOf, type Report} from '../report.ts';
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

/** What the position of a box depends on, besides its mark. */
export interface Frame {
	readonly scale: Scale;
	/** The width of the track, in pixels. */
	readonly width: number;
	readonly height: number;
	/** How many lines share the height of the calls, and how many share that of the token requests. */
	readonly lines: {readonly calls: number; readonly grants: number};
}

/** The colours of what is drawn. */
export type Tint = Outcome | 'grant';

/** Room for the captions on the left, and for the last mark on the right. */
export const margin = {left: 58, right: 10};

const dot = 10;
/** Where the lines of a track begin, below the dots of the events. */
const top = 20;
/** The heights of token requests. A single one is a clearly visible bar. Many have a line each, and leave room for the calls. */
const grantHeight = {least: 16, perLine: 1.5, mostShare: 0.42};
const gap = 8;
const bottom = 6;

/** Where the two rows of a track are, in pixels from its top. */
export function rowsOf({height, lines}: Pick<Frame, 'height' | 'lines'>): {
	readonly grants: {readonly top: number; readonly height: number};
	readonly calls: {readonly top: number; readonly height: number};
} {
	const {least, perLine, mostShare} = grantHeight;
	const grants = Math.max(least, Math.min(lines.grants * perLine, (height - top) * mostShare));
	const callsTop = top + grants + gap;
	return {
		grants: {top, height: grants},
		calls: {top: callsTop, height: Math.max(height - callsTop - bottom, 0)},
	};
}

/** Calls are thin lines below, token requests bars above them, and events dots at the top. */
export function boxOf({report, line}: Mark, frame: Frame): Box {
	const {scale, width, lines} = frame;
	const {kind, start} = report;
	const toPixels = (width - margin.left - margin.right) / scale.span();
	const x = margin.left + scale.place(start) * toPixels;
	if (kind === 'event') return {x: x - dot / 2, y: 5, width: dot, height: dot};
	// A request that is still running is drawn up to the end of its burst.
	const end = report.end ?? scale.burstOf(start)?.end ?? start;
	const length = (scale.place(end) - scale.place(start)) * toPixels;
	const rows = rowsOf(frame);
	if (!isCall(report)) {
		const share = rows.grants.height / lines.grants;
		return {x, y: Math.round(rows.grants.top + line * share), width: Math.max(length, 5), height: Math.ceil(share)};
	}
	const share = rows.calls.height / lines.calls;
	// Forty lines of a fractional height would show a pattern. Where there is room, a gap of one pixel separates them.
	const thickness = share < 3 ? Math.ceil(share) : Math.floor(share) - 1;
	return {x, y: Math.round(rows.calls.top + line * share), width: Math.max(length, 2), height: thickness};
}

/** The colour of a report. What is answered 200 has different colours: a call, a token request and a revocation. */
export function tintOf(report: Report): Tint {
	const outcome = outcomeOf(report);
	if (outcome !== 'good' || isCall(report)) return outcome;
	return report.kind === 'grant' ? 'grant' : 'event';
}

/** How far a point is from a box, in pixels. */
export function distance(x: number, y: number, box: Box): number {
	return Math.hypot(Math.max(box.x - x, 0, x - box.x - box.width), Math.max(box.y - y, 0, y - box.y - box.height));
}
