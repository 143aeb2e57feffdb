import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import {extname} from 'node:path';
import {createServer} from 'vite';
import {partsOfPage} from './parts-of-page.ts';

/** Answers with the files of the page. */
export interface Front {
	handle(request: IncomingMessage, response: ServerResponse): void;
	close(): Promise<void>;
}

/** The page from its sources, as they are. */
export async function createSourceFront(http: Server): Promise<Front> {
	const vite = await createServer({
		configFile: false,
		root: `${import.meta.dirname}/page`,
		logLevel: 'warn',
		plugins: [partsOfPage()],
		// Everything is ESM already. With nothing to bundle first, nothing is written to disk either.
		optimizeDeps: {noDiscovery: true},
		server: {middlewareMode: true, ws: {server: http}, watch: null, fs: {allow: ['../..']}},
	});
	return {handle: vite.middlewares, close: () => vite.close()};
}

const types: Readonly<Record<string, string>> = {
	'.html': 'text/html',
	'.css': 'text/css',
	'.js': 'text/javascript',
};

/** The page from what was built of it. */
export function createBuiltFront(files: ReadonlyMap<string, string>): Front {
	return {
		handle({url = ''}, response) {
			// A login comes back with its answer in the query.
			const [path = ''] = url.replace(/^\/(?=\?|$)/, '/index.html').split('?');
			const file = files.get(path);
			response.writeHead(file === undefined ? 404 : 200, {'content-type': types[extname(path)] ?? 'text/plain'});
			response.end(file);
		},
		async close() {},
	};
}
