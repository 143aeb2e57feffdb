/** A time in which something happened without a long pause. Milliseconds since the epoch. */
export interface Burst {
	readonly start: number;
	readonly end: number;
	/** Where it begins on the scale, in milliseconds of the time that is shown. */
	readonly offset: number;
}

/** Maps time to the width of the timeline. The pauses between the bursts are cut short: people are slower than calls. */
export interface Scale {
	/** The bursts that are shown, oldest first. */
	bursts(): readonly Burst[];
	/** How much time the whole width shows, in milliseconds. */
	span(): number;
	/** Takes in something that happened. */
	include(start: number, end: number): void;
	/** The place of a time, in milliseconds from the left. */
	place(time: number): number;
	/** The burst of a time: undefined where it is shown no longer. */
	burstOf(time: number): Burst | undefined;
	clear(): void;
}

/** What is closer together is one burst. */
const idle = 600;
/** How wide a pause is drawn. */
const gap = 120;
/** Older ones leave, so that what happens now has room. */
const mostBursts = 6;
const shortestSpan = 600;

/** A scale on which nothing has happened. */
export function createScale(): Scale {
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
