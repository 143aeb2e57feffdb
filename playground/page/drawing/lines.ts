/** Puts requests that overlap in time on different lines, and needs as few lines as possible. */
export interface Lines {
	/** Gives a line to something that begins. Everything with the same owner is on the same line. */
	take(owner: string, start: number): number;
	/** Frees a line from `end` on. It stays with its owner where the owner is not done. */
	free(owner: string, end: number, isDone: boolean): void;
	/** How many lines have been in use at once. */
	readonly count: number;
	clear(): void;
}

/** Creates lines that are all free. */
export function createLines(): Lines {
	const lines: Array<{owner: string; until: number}> = [];
	return {
		get count() {
			return lines.length;
		},
		take(owner, start) {
			const own = lines.findIndex(line => line.owner === owner);
			if (own >= 0) return own;
			const free = lines.findIndex(({until}) => until <= start);
			const line = free < 0 ? lines.length : free;
			lines[line] = {owner, until: Infinity};
			return line;
		},
		free(owner, end, isDone) {
			const line = lines.find(other => other.owner === owner);
			if (line) line.until = isDone ? end : Infinity;
		},
		clear: () => void (lines.length = 0),
	};
}
