// A worker that tries URLs and redirects, and answers how its trips ended.
import {createTrips, type Servers, travel} from '../../shared/whereabouts.ts';

export {TokenVault} from '../../../src/stores/cloudflare.ts';

interface Order extends Servers {
	readonly accessToken: string;
	readonly seed: number;
	readonly count: number;
}

export default {
	async fetch(request: Request): Promise<Response> {
		const {accessToken, seed, count, ...servers} = (await request.json()) as Order; // as the test sends it
		// Some Workers bring a document of their own, for libraries that look for one. It does not make a browser of them.
		if (new URL(request.url).pathname === '/with-document') Object.assign(globalThis, {document: {}});
		return Response.json(await travel(servers, accessToken, createTrips(servers, seed, count)));
	},
};
