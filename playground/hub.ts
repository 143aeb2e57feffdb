import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Report} from './report.ts';

/** Tells every open page what every lane does: tabs, the worker and the script alike. */
export interface Hub {
	/** A stream of server-sent events, for one page. */
	listen(request: IncomingMessage, response: ServerResponse): void;
	/** Passes on what a lane reports. */
	publish(reports: readonly Report[]): void;
	close(): void;
}

/** A hub that nobody listens to. */
export function createHub(): Hub {
	const pages = new Set<ServerResponse>();
	return {
		listen(request, response) {
			response.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-store'});
			// At once, so that the page knows that it misses nothing from here on.
			response.write(': open\n\n');
			pages.add(response);
			request.once('close', () => pages.delete(response));
		},
		publish(reports) {
			for (const page of pages) page.write(`data: ${JSON.stringify(reports)}\n\n`);
		},
		close() {
			for (const page of pages) page.end();
		},
	};
}
