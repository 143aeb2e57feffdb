/** Returns pseudorandom numbers from 0 to 1. The same seed gives the same numbers. */
export type Random = () => number;

/** Creates a generator (mulberry32). */
export function createRandom(seed: number): Random {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** Picks one of several values. All have the same probability. */
export function pick<T>(random: Random, [first, ...others]: readonly [T, ...T[]]): T {
	return others[Math.floor(random() * (others.length + 1)) - 1] ?? first;
}

/** Picks a name by its share of a thousand. Returns undefined for the remaining share. */
export function draw<Name extends string>(random: Random, shares: Readonly<Record<Name, number>>): Name | undefined {
	let left = random() * 1000;
	for (const name in shares) {
		left -= shares[name];
		if (left < 0) return name;
	}
	return undefined;
}
