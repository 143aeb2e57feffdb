/** Lets the server redirect to this page after a login. The page is on a random port of loopback. */
export const pages = {redirectUris: ['http://127.0.0.1/', 'http://localhost/']} as const;

export {sendAbruptly} from '../test/support/abrupt-request.ts';
export {
	app,
	type AuthorizationServer,
	service,
	servicePost,
	startAuthorizationServer,
} from '../test/support/authorization-server.ts';
export {createKvFolder, deno} from '../test/support/deno.ts';
export {startSeedApi} from '../test/support/seed-api.ts';
export {seedClient} from '../test/support/seed-vault.ts';
export {listen, serve, shut} from '../test/support/serve.ts';
