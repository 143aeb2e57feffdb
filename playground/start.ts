// The example program. `npm start` prints a traced exchange and then serves a page. `--once` leaves the page out.
import {pages, startAuthorizationServer} from './authorization-server.ts';
import {servePage} from './page-server.ts';
import {scenesAt, trace} from './trace.ts';

const minute = 60;
/** The lifetime of tokens in seconds. It is short, so that the page has something to show. */
const moment = 10;

async function start(once: boolean): Promise<void> {
	const server = await startAuthorizationServer({accessTokenSeconds: minute});
	try {
		const lines: string[] = [];
		await trace(scenesAt(server), line => {
			lines.push(line);
			console.log(line);
		});
		if (!once) await showPage(lines);
	} finally {
		await server.close();
	}
}

async function showPage(lines: readonly string[]): Promise<void> {
	const server = await startAuthorizationServer({accessTokenSeconds: moment, pages});
	const page = await servePage(server, {traced: lines});
	console.log(`\nThe same in a browser: ${page.origin}/ (Ctrl-C ends it)`);
	await untilTold();
	await page.close();
	await server.close();
}

/** How often to check whether the parent process is still there, in milliseconds. */
const watch = 500;

/**
Resolves at a signal, or when the parent process has ended. The shell between npm and this process passes no signal on, but ends at one.
*/
async function untilTold(): Promise<void> {
	const {ppid} = process;
	await new Promise<void>(resolve => {
		const stop = (): void => {
			clearInterval(timer);
			resolve();
		};
		const timer = setInterval(() => {
			if (process.ppid !== ppid) stop();
		}, watch);
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
	});
}

try {
	await start(process.argv.includes('--once'));
} catch (error) {
	console.error(`The exchange did not go as it should. ${error instanceof Error ? error.message : ''}`);
	process.exitCode = 1;
}
