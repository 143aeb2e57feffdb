import {createCanvas} from './canvas.ts';
import {boxOf} from './mark.ts';
import type {Palette} from './palette.ts';
import type {Scale} from './scale.ts';

/** Shows how long each burst took. */
export interface Ruler {
	paint(palette: Palette): void;
}

/** How many pixels a number needs. */
const legible = 60;

/** Creates the ruler of a scale. */
export function createRuler(element: HTMLCanvasElement, scale: Scale): Ruler {
	const canvas = createCanvas(element);
	return {
		paint({tints, text, font}) {
			const context = canvas.wipe();
			context.font = font;
			context.textAlign = 'center';
			for (const {start, end} of scale.bursts()) {
				const report = {id: '', lane: 'server', who: '', kind: 'call', start, end, text: ''} as const;
				const {x, width} = boxOf(
					{report, line: 0},
					{scale, width: canvas.width, height: 0, lines: {calls: 1, grants: 1}},
				);
				context.fillStyle = tints.event;
				context.fillRect(x, 6, width, 2);
				context.fillStyle = text;
				if (width >= legible) context.fillText(`${end - start} ms`, x + width / 2, 21);
			}
		},
	};
}
