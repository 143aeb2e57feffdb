import type {Report} from '../report.ts';
import {type Box, type Frame, margin, rowsOf, tintOf} from './mark.ts';
import type {Palette} from './palette.ts';

/** How wide the edges of a pale bar are, in pixels. */
const edge = 2;

/** Paints a dot for an event and a bar for a request. The bar of a retried 401 is pale, and has darker edges. */
export function paintMark(
	context: CanvasRenderingContext2D,
	{tints, edges}: Palette,
	{x, y, width, height}: Box,
	report: Report,
): void {
	const tint = tintOf(report);
	context.fillStyle = tints[tint];
	if (report.kind === 'event') {
		context.beginPath();
		context.arc(x + width / 2, y + height / 2, width / 2, 0, 2 * Math.PI);
		context.fill();
		return;
	}
	context.fillRect(x, y, width, height);
	if (tint !== 'retried') return;
	context.fillStyle = edges;
	for (const left of [x, x + width - edge]) context.fillRect(left, y, edge, height);
}

/** Paints the shadow that a refresh casts on the calls that wait for it. */
export function paintShadow(
	context: CanvasRenderingContext2D,
	{tints}: Palette,
	{x, y, width, height}: Box,
	bottom: number,
): void {
	context.globalAlpha = 0.12;
	context.fillStyle = tints.grant;
	context.fillRect(x, y + height, width, bottom);
	context.globalAlpha = 1;
}

/** Says on the left what the two rows of a track are. */
export function paintCaptions(
	context: CanvasRenderingContext2D,
	{muted, font}: Palette,
	frame: Frame,
	names: {readonly grants: string; readonly calls: string},
): void {
	const {grants, calls} = rowsOf(frame);
	context.font = font;
	context.textAlign = 'right';
	context.fillStyle = muted;
	context.fillText(names.grants, margin.left - 8, grants.top + Math.min(grants.height / 2, 12) + 4);
	context.fillText(names.calls, margin.left - 8, calls.top + 12);
	context.textAlign = 'left';
}

/** Paints a stroke, and a word where there is room for it. Returns where the next word may begin. */
export function paintWord(
	context: CanvasRenderingContext2D,
	{tints, text, font}: Palette,
	{x, width}: Box,
	word: string,
	free: number,
	room: number,
): number {
	const stroke = x + width / 2;
	context.fillStyle = tints.event;
	context.fillRect(stroke, 0, 2, context.canvas.height);
	context.font = font;
	const length = context.measureText(word).width;
	// A word that would not fit on the right of its stroke is written on the left of it.
	const left = stroke + 7 + length <= room ? stroke + 7 : stroke - 6 - length;
	if (left < free) return Math.max(free, stroke + 4);
	context.fillStyle = text;
	context.fillText(word, left, 17);
	return Math.max(left + length, stroke) + 6;
}

/** Paints a frame around the mark that the keyboard has stepped to. */
export function outline(context: CanvasRenderingContext2D, {text}: Palette, {x, y, width, height}: Box): void {
	context.strokeStyle = text;
	context.lineWidth = 2;
	context.strokeRect(x - 2, y - 2, width + 4, height + 4);
}
