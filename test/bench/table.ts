/** Prints a table: the first column flush left, numbers flush right. */
export function printTable(title: string, head: readonly string[], rows: ReadonlyArray<readonly string[]>): void {
	const lines = [head, ...rows];
	const widths = head.map((_, column) => Math.max(...lines.map(cells => cells[column]?.length ?? 0)));
	console.log(`\n${title}`);
	for (const cells of lines) {
		const padded = cells.map((cell, column) =>
			column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
		);
		console.log(`  ${padded.join('   ')}`);
	}
}
