import {assembleAuth, type Auth, type SessionOptions, sessionRules} from './auth.ts';
import {readOptions} from './lib/read-options.ts';
import {clientOf, clientRules, requiredOptions, type TokenClient} from './oauth/client.ts';
import {type GrantOptions, grantRules, oauthRenewer} from './oauth/renewer.ts';

/** What `createAuth` takes. */
export interface AuthOptions extends TokenClient, GrantOptions, Omit<SessionOptions, keyof TokenClient> {}

/**
Creates a session for an OAuth client. It reads and sends nothing until you use it.

@throws {ConfigError} if an option is missing, unknown or unusable. The message names it.
@example
```ts
const auth = createAuth({
	tokenEndpoint: 'https://api.moov.io/oauth2/token',
	clientId: '5clTR_MdVrrkgxw2',
	clientAuthentication: clientSecretBasic(secret),
	grant: {grant_type: 'client_credentials', scope: '/accounts.read'},
});
const api = ky.extend({baseUrl: 'https://api.moov.io', hooks: auth.hooks});
```
*/
export function createAuth(options: AuthOptions): Auth {
	const given = readOptions(options, {...clientRules, ...sessionRules, ...grantRules}, requiredOptions);
	return assembleAuth(given, () => oauthRenewer(clientOf(given), given));
}
