import {readOptions} from '../lib/read-options.ts';
import type {ClientAuthentication} from '../oauth/client-authentication.ts';
import {type AssertionOptions, assertionRules, createAssertionSigner} from './assertion.ts';
import type {PrivateKey} from './signing-key.ts';

/**
Authenticates the client with a signed assertion, a new one for each request. The private key is never sent.

@param key A private key: a `CryptoKey`, a JWK, or PKCS #8 PEM.
@throws {ConfigError} if an argument cannot be used. The message names it, and holds nothing of the key. If only the platform can tell that
a key is wrong, the first request rejects with this error.
@example
```ts
const auth = createAuth({
	issuer: 'https://login.example.com',
	tokenEndpoint: 'https://login.example.com/token',
	clientId: 'reports',
	clientAuthentication: privateKeyJwt(env.PRIVATE_KEY, {keyId: '2026-01'}),
	grant: {grant_type: 'client_credentials', scope: 'reports.read'},
});
```
@see https://www.rfc-editor.org/rfc/rfc7523#section-2.2
*/
export function privateKeyJwt(key: PrivateKey | undefined, options?: AssertionOptions): ClientAuthentication {
	const given = readOptions(options, assertionRules);
	const sign = createAssertionSigner(key, 'privateKeyJwt(key): key', given);
	return async ({clientId, issuer, tokenEndpoint, parameters}) => {
		parameters.set('client_id', clientId);
		parameters.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
		parameters.set(
			'client_assertion',
			await sign({iss: clientId, sub: clientId, aud: given.audience ?? issuer ?? tokenEndpoint}),
		);
	};
}
