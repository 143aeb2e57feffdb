/** Numbers from 0 to 1 that look random, and come again with the seed. */
export type Random = () => number;

/** A source of its own: mulberry32. */
export function createRandom(seed: number): Random {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** One of several, each as likely. */
export function pick<T>(random: Random, [first, ...others]: readonly [T, ...T[]]): T {
	return others[Math.floor(random() * (others.length + 1)) - 1] ?? first;
}

/** One by its share of a thousand, or undefined for the rest. */
export function draw<Name extends string>(random: Random, shares: Readonly<Record<Name, number>>): Name | undefined {
	let left = random() * 1000;
	for (const name in shares) {
		left -= shares[name];
		if (left < 0) return name;
	}
	return undefined;
}
