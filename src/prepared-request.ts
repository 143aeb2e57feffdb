import {within} from './deadline.ts';
import {ConfigError, TokenNetworkError} from './errors.ts';
import {checkSecret, type Settings} from './options.ts';
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
Turns a checked request into parameters and headers, with the client's authentication. This runs the client's own code, so
it comes before any lock.

@throws {ConfigError} where the authentication does not fit the request.
@throws {TokenNetworkError} where the authentication takes longer than `timeout`.
*/
export async function prepare(
	settings: Settings,
	{client_id, ...request}: AuthTokenRequest | RevokeTokenRequest,
): Promise<PreparedRequest> {
	const {clientId, clientAuthentication, tokenEndpoint, timeout} = settings;
	if (client_id && client_id !== clientId) throw new ConfigError('client_id must equal clientId');
	// RFC 6749 §3.2: a parameter without a value counts as left out.
	const given = Object.entries(request as Record<string, string>).filter(([, value]) => value);
	const parameters = new URLSearchParams(given);
	const headers = new Headers({accept: 'application/json'});
	const authenticate = async (): Promise<void> => clientAuthentication({clientId, tokenEndpoint, parameters, headers});
	await within(authenticate(), timeout, () => new TokenNetworkError('timeout'));
	checkSecret(settings, parameters.get('client_secret'));
	const names = [...parameters.keys()];
	if (new Set(names).size < names.length || given.some(([name, value]) => parameters.get(name) !== value)) {
		throw new ConfigError('clientAuthentication must not repeat or change a parameter');
	}
	// RFC 6749 §2.3
	const proofs = [headers.get('authorization'), parameters.get('client_secret'), parameters.get('client_assertion')];
	if (proofs.filter(Boolean).length > 1) {
		throw new ConfigError('Use one client authentication: clientAuthentication, or client_secret in the request');
	}
	return {parameters, headers};
}
