/** Lays what overlaps in time below one another, on as few lines as it takes. */
export interface Lines {
	/** The line of something that has begun. What has the same owner is on the same line. */
	take(owner: string, start: number): number;
	/** When it ended. The line stays with its owner where the owner is not done. */
	free(owner: string, end: number, isDone: boolean): void;
	/** How many have been in use at once. */
	readonly count: number;
	clear(): void;
}

/** Lines that are all free. */
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
