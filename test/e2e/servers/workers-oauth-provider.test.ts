import {build} from 'esbuild';
import {Miniflare} from 'miniflare';
import {clientSecretBasic} from 'regrant';
import {compatibilityDates} from '../../support/workers.ts';
import {beginSignIn, type RealServer} from './front.ts';
import {specify} from './specification.ts';

interface Client {
	readonly clientId: string;
	readonly clientSecret: string;
}

async function bundle(): Promise<string> {
	const {outputFiles} = await build({
		entryPoints: ['test/e2e/servers/worker.ts'],
		bundle: true,
		write: false,
		format: 'esm',
		target: 'es2022',
		external: ['cloudflare:*'],
	});
	return outputFiles[0]?.text ?? '';
}

/** Cloudflare's package in Cloudflare's runtime. Its tokens contain colons. Revocation is at the token endpoint. */
async function start(origin: string): Promise<RealServer> {
	const miniflare = new Miniflare({
		telemetry: {enabled: false},
		handleStructuredLogs: () => {},
		workers: [
			{
				config: {
					name: 'login',
					compatibilityDate: compatibilityDates[2],
					compatibilityFlags: [],
					manifest: {
						mainModule: 'worker.js',
						modulesRoot: process.cwd(),
						modules: {'worker.js': {type: 'esm', contents: await bundle()}},
					},
					env: {OAUTH_KV: {type: 'kv'}},
				},
			},
		],
	});
	const handle = async (request: Request): Promise<Response> => {
		const {method, headers} = request;
		const body = request.body && (await request.arrayBuffer());
		const answer = await miniflare.dispatchFetch(request.url, {
			method,
			headers: [...headers],
			body,
			redirect: 'manual',
		});
		return new Response(answer.body && (await answer.arrayBuffer()), {
			status: answer.status,
			headers: [...answer.headers],
		});
	};
	const visit = async (url: string): Promise<string | null> => (await handle(new Request(url))).headers.get('location');
	const {clientId, clientSecret} = (await (await handle(new Request(`${origin}/register`))).json()) as Client;
	const revoke = async (token: string): Promise<void> => {
		const authorization = `Basic ${btoa(`${clientId}:${clientSecret}`)}`;
		const body = new URLSearchParams({token});
		await handle(new Request(`${origin}/token`, {method: 'POST', headers: {authorization}, body}));
	};
	return {
		tokenPath: '/token',
		revocationPath: '/token',
		resourcePath: '/api',
		app: {
			clientId,
			clientAuthentication: clientSecretBasic(clientSecret),
			wrongAuthentication: clientSecretBasic('wrong'),
		},
		handle,
		async signIn() {
			const {parameters, finish} = beginSignIn(clientId, {scope: 'read'});
			return finish(await visit(`${origin}/authorize?${new URLSearchParams(parameters)}`));
		},
		login: {issuerPath: '', scope: 'read', visit},
		// Revoking an access token ends only that token. Revoking a refresh token ends its grant.
		expire: revoke,
		kill: revoke,
		close: () => miniflare.dispose(),
	};
}

specify({name: '@cloudflare/workers-oauth-provider', start, hasMetadata: true, hasSecret: true, hasRevocation: true});
