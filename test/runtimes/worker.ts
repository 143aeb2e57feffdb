// workerd: a worker whose one request runs the specification.
import {durableObjectStore} from 'regrant/cloudflare';
import {run} from '../shared/run.ts';

export {TokenVault} from 'regrant/cloudflare';

interface Environment {
	readonly NAME: string;
	readonly VAULT: {
		idFromName(name: string): unknown;
		get(id: unknown): ReturnType<Parameters<typeof durableObjectStore>[0]>;
	};
}

export default {
	async fetch(request: Request, {NAME, VAULT}: Environment): Promise<Response> {
		const stores = {durableObjectStore: () => durableObjectStore(() => VAULT.get(VAULT.idFromName('session')))};
		return Response.json(await run(NAME, await request.json(), {}, stores));
	},
};
