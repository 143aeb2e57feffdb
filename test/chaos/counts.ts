/** How often each thing happened, by name. */
export type Counts = Record<string, number>;

/** Adds to one count. */
export function count(counts: Counts, name: string, more = 1): void {
	counts[name] = (counts[name] ?? 0) + more;
}

/** Returns the sum of all counts. */
export function total(counts: Readonly<Counts>): number {
	return Object.values(counts).reduce((sum, times) => sum + times, 0);
}

/** Adds all counts of `more` to `counts`. */
export function addTo(counts: Counts, more: Readonly<Counts>): void {
	for (const [name, times] of Object.entries(more)) count(counts, name, times);
}

/** Describes the counts, the most frequent first. */
export function list(counts: Readonly<Counts>): string {
	const sorted = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
	return sorted.map(([name, times]) => `${times} ${name}`).join(', ') || '–';
}
