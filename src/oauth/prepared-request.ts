import {withTimeout} from '../lib/with-timeout.ts';
import {ConfigError} from '../errors.ts';
import {checkClient, checkSecret, type Settings} from './options.ts';
import type {RevokeTokenRequest} from './revocation-request.ts';
import type {AuthTokenRequest} from './token-request.ts';

/** A request of the token or the revocation endpoint, ready to be sent. */
export interface PreparedRequest {
	/** What its body says. */
	readonly parameters: URLSearchParams;
	/** All headers but the content type. */
	readonly headers: Headers;
}

/**
Mutex a checked request into parameters and headers, with the client's authentication. This runs the client's own code, so
it comes before any lock.

@throws {ConfigError} where the authentication does not fit the request.
@throws {TokenNetworkError} where the authentication takes longer than `timeout`.
*/
export async function prepare(
	settings: Settings,
	request: AuthTokenRequest | RevokeTokenRequest,
): Promise<PreparedRequest> {
	const {clientId, clientAuthentication, tokenEndpoint, timeout} = settings;
	checkClient(settings, request);
	// RFC 6749 §3.2: a parameter without a value counts as left out. The client's id is for its authentication to add.
	const parameters = new URLSearchParams();
	for (const [name, value] of Object.entries<string | undefined>({...request})) {
		if (value && name !== 'client_id') parameters.set(name, value);
	}
	const given = [...parameters];
	const headers = new Headers({accept: 'application/json'});
	await withTimeout(() => clientAuthentication({clientId, tokenEndpoint, parameters, headers}), timeout);
	checkSecret(settings, parameters.get('client_secret'));
	const names = [...parameters.keys()];
	// RFC 6749 §2.3
	const proofs = [headers.get('authorization'), parameters.get('client_secret'), parameters.get('client_assertion')];
	if (
		proofs.filter(Boolean).length > 1 ||
		new Set(names).size < names.length ||
		given.some(([name, value]) => parameters.get(name) !== value)
	) {
		throw new ConfigError('clientAuthentication must add one proof and change no parameter');
	}
	return {parameters, headers};
}
