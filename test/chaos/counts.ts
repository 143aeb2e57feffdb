/** How often what has happened, by name. */
export type Counts = Record<string, number>;

/** Counts one more. */
export function count(counts: Counts, name: string, more = 1): void {
	counts[name] = (counts[name] ?? 0) + more;
}

/** Of all of them. */
export function total(counts: Readonly<Counts>): number {
	return Object.values(counts).reduce((sum, times) => sum + times, 0);
}

/** Adds some to others. */
export function addTo(counts: Counts, more: Readonly<Counts>): void {
	for (const [name, times] of Object.entries(more)) count(counts, name, times);
}

/** The most frequent first, in words. */
export function list(counts: Readonly<Counts>): string {
	const sorted = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
	return sorted.map(([name, times]) => `${times} ${name}`).join(', ') || '–';
}
