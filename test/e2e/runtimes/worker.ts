// A worker for workerd. It answers a single request, by running the specification.
import {durableObjectStore} from 'regrant/cloudflare';
import {run} from '../../shared/run.ts';

export {TokenVault} from 'regrant/cloudflare';

interface Environment {
	readonly DATE: string;
	readonly VAULT: {
		idFromName(name: string): unknown;
		get(id: unknown): ReturnType<Parameters<typeof durableObjectStore>[0]>;
	};
}

export default {
	async fetch(request: Request, {DATE, VAULT}: Environment): Promise<Response> {
		const stores = {durableObjectStore: () => durableObjectStore(() => VAULT.get(VAULT.idFromName('session')))};
		const name = navigator.userAgent === 'Cloudflare-Workers' ? 'workerd' : navigator.userAgent;
		return Response.json(await run(`${name} ${DATE}`, await request.json(), {copiesReasons: true}, stores));
	},
};
