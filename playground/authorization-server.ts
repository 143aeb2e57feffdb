export {
	app,
	type AuthorizationServer,
	service,
	startAuthorizationServer,
} from '../test/support/authorization-server.ts';
export {startSeedApi} from '../test/support/seed-api.ts';
export {seedClient} from '../test/support/seed-vault.ts';
export {listen, shut} from '../test/support/serve.ts';
