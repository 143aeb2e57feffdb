import {challengesOf} from '../lib/www-authenticate.ts';

/** Challenges, each as its scheme and its error code, of schemes that do not use tokens (HTTP registry), or that ask for a nonce. */
const others =
	/^(?:(?:basic|digest|negotiate|ntlm|hoba|mutual|scram-\S*|vapid|privatetoken|gnap) [^]*|\S+ use_dpop_nonce)$/;

/** Challenges that say that a new token cannot help: RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470. */
const hopeless = /^(?:bearer|dpop) (?:insufficient_scope|invalid_request|insufficient_user_authentication)$/;

/**
Whether a response rejects the token, and a new one may help: a 401, unless its challenge says that a new token cannot help. Browsers hide
the challenge unless CORS exposes it, so a 401 without a challenge counts.

@see https://www.rfc-editor.org/rfc/rfc6750#section-3.1
*/
export function isUnauthorized(response: Response): boolean {
	if (response.status !== 401) return false;
	const challenges = challengesOf(response.headers).map(({scheme, parameters: {error = ''}}) => `${scheme} ${error}`);
	const isHopeless = challenges.some(challenge => hopeless.test(challenge));
	return !isHopeless && (challenges.length === 0 || !challenges.every(challenge => others.test(challenge)));
}
