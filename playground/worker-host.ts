// Runs the Worker in workerd, for the process that started this one and as long as that lives. It is a process of its own since
// miniflare ends the one that it is in at the first signal, before anything else could be put in order.
import {startWorkers} from '../test/support/workers.ts';

/** What the host is told: the bindings of each isolate. */
export interface HostOrder {
	readonly env: ReadonlyArray<Readonly<Record<string, string>>>;
}

/** What the host tells: first where the isolates are, then what they log. */
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
	// It may have gone meanwhile.
	if (process.connected) tell({origins: workers.origins});
	else await stop();
}

process.once('message', (order: HostOrder) => void run(order));
