import type {Tint} from './mark.ts';

/** What a canvas is painted with: the colours of the style sheet, in the present colour scheme. */
export interface Palette {
	/** The colours of the legend. */
	readonly tints: Readonly<Record<Tint, string>>;
	/** The colour of the edges of what is pale. */
	readonly edges: string;
	readonly text: string;
	readonly muted: string;
	readonly font: string;
}

/** Reads the colours from the legend, so that the drawings have the colours that the legend shows. */
export function readPalette(): Palette {
	const colorOf = (selector: string, property: 'backgroundColor' | 'borderTopColor' | 'color'): string => {
		const found = document.querySelector(selector);
		return found ? getComputedStyle(found)[property] : '';
	};
	const tintOf = (name: Tint): string => colorOf(`.swatch.${name}`, 'backgroundColor');
	const {color, fontFamily} = getComputedStyle(document.body);
	return {
		tints: {
			open: tintOf('open'),
			good: tintOf('good'),
			retried: tintOf('retried'),
			refused: tintOf('refused'),
			failed: tintOf('failed'),
			event: tintOf('event'),
			grant: tintOf('grant'),
		},
		edges: colorOf('.swatch.retried', 'borderTopColor'),
		text: color,
		muted: colorOf('.legend', 'color'),
		font: `12px ${fontFamily}`,
	};
}
