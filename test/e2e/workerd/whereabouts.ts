// A worker that calls URLs and follows redirects, and answers how many of the calls succeeded.
import {createTrips, type Servers, travel} from '../../shared/whereabouts.ts';

export {TokenVault} from '../../../src/stores/cloudflare.ts';

interface Order extends Servers {
	readonly accessToken: string;
	readonly seed: number;
	readonly count: number;
}

export default {
	async fetch(request: Request): Promise<Response> {
		const {accessToken, seed, count, ...servers} = (await request.json()) as Order; // written by whereabouts.test.ts
		// Some Workers define a `document` for libraries that look for one. That must not make regrant take them for a browser.
		if (new URL(request.url).pathname === '/with-document') Object.assign(globalThis, {document: {}});
		return Response.json(await travel(servers, accessToken, createTrips(servers, seed, count)));
	},
};
