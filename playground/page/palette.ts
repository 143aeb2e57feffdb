import type {Tint} from './mark.ts';

/** What a canvas is painted with: the colours that the style sheet has for the scheme of the moment. */
export interface Palette {
	/** The colours of the legend. */
	readonly tints: Readonly<Record<Tint, string>>;
	readonly text: string;
	readonly font: string;
}

/** Reads the colours from the legend, so that they are those that it shows. */
export function readPalette(): Palette {
	const tintOf = (name: Tint): string => {
		const swatch = document.querySelector(`.swatch.${name}`);
		return swatch ? getComputedStyle(swatch).backgroundColor : '';
	};
	const {color, fontFamily} = getComputedStyle(document.body);
	return {
		tints: {
			open: tintOf('open'),
			good: tintOf('good'),
			refused: tintOf('refused'),
			failed: tintOf('failed'),
			event: tintOf('event'),
			grant: tintOf('grant'),
		},
		text: color,
		font: `12px ${fontFamily}`,
	};
}
