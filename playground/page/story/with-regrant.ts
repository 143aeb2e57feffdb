import ky, {type KyInstance} from 'ky';
import {createAuth} from 'regrant';
import type {Contender} from './contender.ts';

/** Connects with regrant. */
export async function connectWithRegrant({baseUrl, tokenEndpoint, login, fetch}: Contender): Promise<KyInstance> {
	// #region shown
	const auth = createAuth({tokenEndpoint, clientId: 'app', fetch});
	await auth.setToken(login);

	return ky.extend({baseUrl, hooks: auth.hooks});
	// #endregion
}
