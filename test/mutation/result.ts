/** What became of the mutants of a file, or of a guard. */
export interface FileResult {
	/** Those that could be killed: what does not run, or was left out, is none. */
	readonly mutants: number;
	readonly survived: number;
}

/** What the last mutation tests have found: result.json. */
export interface MutationResult extends FileResult {
	/** The versions of the tools. */
	readonly stryker: string;
	readonly vitest: string;
	readonly node: string;
	/** Of the last run. */
	readonly date: string;
	/** Percent of the mutants that were killed, with one decimal, rounded down. */
	readonly score: number;
	/** By their names in guards.ts, and by the files that they are in. */
	readonly guards: Readonly<Record<string, Readonly<Record<string, FileResult>>>>;
	/** By their paths below src. */
	readonly files: Readonly<Record<string, FileResult>>;
}

/** The score over all of them. */
export function scoreOf(results: readonly FileResult[]): Pick<MutationResult, 'score' | 'mutants' | 'survived'> {
	const mutants = results.reduce((sum, result) => sum + result.mutants, 0);
	const survived = results.reduce((sum, result) => sum + result.survived, 0);
	return {score: Math.floor((1000 * (mutants - survived)) / Math.max(mutants, 1)) / 10, mutants, survived};
}
