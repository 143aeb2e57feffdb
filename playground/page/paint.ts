import {type Box, tintOf} from './mark.ts';
import type {Palette} from './palette.ts';
import {outcomeOf, type Report} from './report.ts';

/** A dot for an event, a bar for a request: that of a grant throws a shadow down to the bottom of its track. */
export function paintMark(
	context: CanvasRenderingContext2D,
	{tints}: Palette,
	{x, y, width, height}: Box,
	report: Report,
	bottom: number,
): void {
	context.fillStyle = tints[tintOf(report)];
	if (report.kind === 'event') {
		context.beginPath();
		context.arc(x + width / 2, y + height / 2, width / 2, 0, 2 * Math.PI);
		context.fill();
		return;
	}
	context.fillRect(x, y, width, height);
	if (report.kind !== 'grant' || outcomeOf(report) !== 'good') return;
	// Its shadow on the calls that wait for it.
	context.globalAlpha = 0.15;
	context.fillRect(x, y + height, width, bottom);
	context.globalAlpha = 1;
}

/** A stroke, and a word where there is room for one. Gives from where on there is for the next. */
export function paintWord(
	context: CanvasRenderingContext2D,
	{tints, text, font}: Palette,
	{x, width}: Box,
	word: string,
	free: number,
): number {
	const left = x + width / 2;
	context.fillStyle = tints.event;
	context.fillRect(left, 0, 2, context.canvas.height);
	if (left < free) return free;
	context.fillStyle = text;
	context.font = font;
	context.fillText(word, left + 7, 17);
	return left + 12 + context.measureText(word).width;
}

/** A frame around what is stepped to. */
export function outline(context: CanvasRenderingContext2D, {text}: Palette, {x, y, width, height}: Box): void {
	context.strokeStyle = text;
	context.lineWidth = 2;
	context.strokeRect(x - 2, y - 2, width + 4, height + 4);
}
