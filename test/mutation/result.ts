/** The mutants of a file or of a guard, and how many of them were killed. */
export interface FileResult {
	/** All mutants that a test could kill. Those that do not compile or were left out do not count. */
	readonly mutants: number;
	readonly survived: number;
}

/** The result of the last mutation tests, as stored in result.json. */
export interface MutationResult extends FileResult {
	/** The versions of the tools. */
	readonly stryker: string;
	readonly vitest: string;
	readonly node: string;
	/** The date of the last run. */
	readonly date: string;
	/** Percent of the mutants that were killed, with one decimal, rounded down. */
	readonly score: number;
	/** The results by the names in guards.ts, and then by file. */
	readonly guards: Readonly<Record<string, Readonly<Record<string, FileResult>>>>;
	/** The results by path, relative to src. */
	readonly files: Readonly<Record<string, FileResult>>;
}

/** Computes the score of all results together. */
export function scoreOf(results: readonly FileResult[]): Pick<MutationResult, 'score' | 'mutants' | 'survived'> {
	const mutants = results.reduce((sum, result) => sum + result.mutants, 0);
	const survived = results.reduce((sum, result) => sum + result.survived, 0);
	return {score: Math.floor((1000 * (mutants - survived)) / Math.max(mutants, 1)) / 10, mutants, survived};
}
