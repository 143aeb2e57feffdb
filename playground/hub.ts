import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Mood} from './page/mood.ts';
import type {Report} from './page/report.ts';

/** Sends every open page what every lane reports, those of tabs and those of programs. */
export interface Hub {
	/** A stream of server-sent events, for one page. */
	listen(request: IncomingMessage, response: ServerResponse): void;
	/** Sends reports to all pages. */
	publish(reports: readonly Report[]): void;
	/** Sends how the token endpoint behaves, so that all pages show the same. */
	tellMood(mood: Mood): void;
	close(): void;
}

/** Creates a hub without listeners. */
export function createHub(): Hub {
	const pages = new Set<ServerResponse>();
	const write = (lines: string): void => {
		for (const page of pages) page.write(`${lines}\n\n`);
	};
	return {
		listen(request, response) {
			response.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-store'});
			// Sent at once. From then on the page misses nothing.
			response.write(': open\n\n');
			pages.add(response);
			request.once('close', () => pages.delete(response));
		},
		publish: reports => write(`data: ${JSON.stringify(reports)}`),
		tellMood: mood => write(`event: mood\ndata: ${JSON.stringify(mood)}`),
		close() {
			for (const page of pages) page.end();
		},
	};
}
