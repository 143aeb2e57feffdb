import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Mood} from './page/mood.ts';
import type {Report} from './page/report.ts';

/** Tells every open page what every lane does: tabs, the worker and the scripts alike. */
export interface Hub {
	/** A stream of server-sent events, for one page. */
	listen(request: IncomingMessage, response: ServerResponse): void;
	/** Passes on what a lane reports. */
	publish(reports: readonly Report[]): void;
	/** Tells the mood of the token endpoint, so that all pages show the same. */
	tellMood(mood: Mood): void;
	close(): void;
}

/** A hub that nobody listens to. */
export function createHub(): Hub {
	const pages = new Set<ServerResponse>();
	const write = (lines: string): void => {
		for (const page of pages) page.write(`${lines}\n\n`);
	};
	return {
		listen(request, response) {
			response.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-store'});
			// At once, so that the page knows that it misses nothing from here on.
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
