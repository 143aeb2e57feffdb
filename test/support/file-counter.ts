// Run by Node, Deno and Bun: increments a number in the record of a file by compare-and-set until its input ends. Prints a line for each
// increment.
import process from 'node:process';
import {fileDriver} from '../../src/stores/file-driver.ts';

const driver = fileDriver(process.argv[2] ?? '');
let isOver = false;
process.stdin.resume();
process.stdin.once('end', () => {
	isOver = true;
});
/** Waits until the line is written: what is still in a buffer when the process exits is lost. */
const report = async (line: string): Promise<void> =>
	new Promise(resolve => void process.stdout.write(`${line}\n`, () => resolve()));
while (!isOver) {
	try {
		const found = await driver.get();
		const {issued_at} = found as {readonly issued_at: number}; // file-processes.test.ts wrote it
		const next = {access_token: `hunter2 ${process.pid}`, token_type: 'Bearer', issued_at: issued_at + 1};
		if (await driver.replace?.(found, next)) await report(`${next.issued_at}`);
	} catch (error) {
		await report(String(error));
	}
	await new Promise(resolve => void setTimeout(resolve, Math.random() * 5));
}
process.exit(0);
