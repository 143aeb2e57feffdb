// Runs the Worker in workerd for the process that started this one, and stops with it. It is a process of its own, because miniflare ends
// its process at the first signal, before anything else can clean up.
import {startWorkers} from '../test/support/workers.ts';

/** The message to the host: the bindings of each isolate. */
export interface HostOrder {
	readonly env: ReadonlyArray<Readonly<Record<string, string>>>;
}

/** The messages of the host: first the addresses of the isolates, then what they log. */
export type HostNews = {readonly origins: readonly string[]} | {readonly log: string};

const tell = (news: HostNews): void => void process.send?.(news);

async function run({env}: HostOrder): Promise<void> {
	const workers = await startWorkers({
		entry: 'playground/worker.ts',
		source: 'built',
		env: isolate => env[isolate] ?? {},
		isolates: env.length,
		onLog: log => tell({log}),
	});
	const stop = async (): Promise<void> => {
		await workers.stop();
		process.exit();
	};
	process.once('disconnect', () => void stop());
	// The other process may be gone by now.
	if (process.connected) tell({origins: workers.origins});
	else await stop();
}

process.once('message', (order: HostOrder) => void run(order));
