/** A canvas that is as sharp as the screen is. */
export interface Canvas {
	/** The width in CSS pixels. */
	readonly width: number;
	readonly height: number;
	/** Empties it, and returns what draws on it. */
	wipe(): CanvasRenderingContext2D;
}

/** Creates the canvas of an element, as large as the style sheet makes it. */
export function createCanvas(element: HTMLCanvasElement): Canvas {
	const context = element.getContext('2d');
	if (!context) throw new Error('Nothing can be drawn here');
	return {
		get width() {
			return element.clientWidth;
		},
		get height() {
			return element.clientHeight;
		},
		wipe() {
			const {clientWidth, clientHeight} = element;
			// Setting the size empties it, even where the size stays the same.
			element.width = clientWidth * devicePixelRatio;
			element.height = clientHeight * devicePixelRatio;
			context.scale(devicePixelRatio, devicePixelRatio);
			return context;
		},
	};
}
