/** A stretch of time without a long pause. Milliseconds since the epoch. */
export interface Burst {
	readonly start: number;
	readonly end: number;
	/** Where the burst begins on the scale, in milliseconds of the time that is shown. */
	readonly offset: number;
}

/** Maps time to the width of a timeline. Pauses between bursts are cut short, since people are slower than calls. */
export interface Scale {
	/** The bursts that are shown, oldest first. */
	bursts(): readonly Burst[];
	/** How much time the whole width shows, in milliseconds. */
	span(): number;
	/** Makes room for something that happened. */
	include(start: number, end: number): void;
	/** Where a time is on the scale, in milliseconds from the left. */
	place(time: number): number;
	/** The burst that a time belongs to. Undefined if it is no longer shown. */
	burstOf(time: number): Burst | undefined;
	clear(): void;
}

/** Things that are closer together than this, in milliseconds, are one burst. */
const idle = 600;
/** How wide a pause is drawn, in milliseconds. */
const gap = 120;
/** Older bursts leave, so that the present ones have room. */
const mostBursts = 6;
/** What `shortestSpan` is by default. */
const shortest = 600;

/**
Creates a scale on which nothing has happened.

@param shortestSpan Milliseconds that the width shows at least.
@default 600
*/
export function createScale(shortestSpan: number = shortest): Scale {
	let bursts: readonly Burst[] = [];
	const burstOf = (time: number): Burst | undefined =>
		bursts.findLast(({start, end}) => start <= time && time <= end + idle);

	return {
		bursts: () => bursts,
		burstOf,
		span() {
			const last = bursts.at(-1);
			return Math.max(last ? last.offset + last.end - last.start : 0, shortestSpan);
		},
		include(start, end) {
			const isNear = (burst: Burst): boolean => start <= burst.end + idle && burst.start <= end + idle;
			const near = bursts.filter(isNear);
			const joined = {
				start: Math.min(start, ...near.map(burst => burst.start)),
				end: Math.max(end, ...near.map(burst => burst.end)),
			};
			const apart = bursts.filter(burst => !isNear(burst));
			bursts = layOut([...apart, joined].toSorted((one, other) => one.start - other.start).slice(-mostBursts));
		},
		place(time) {
			const burst = burstOf(time);
			return burst ? burst.offset + Math.min(time, burst.end) - burst.start : 0;
		},
		clear() {
			bursts = [];
		},
	};
}

function layOut(bursts: ReadonlyArray<Pick<Burst, 'start' | 'end'>>): Burst[] {
	let offset = 0;
	return bursts.map(({start, end}) => {
		const burst = {start, end, offset};
		offset += end - start + gap;
		return burst;
	});
}
