import {challengesOf} from '../lib/www-authenticate.ts';

/** Schemes of the HTTP registry that do not use tokens. */
const otherSchemes = /^(?:basic|digest|negotiate|ntlm|hoba|mutual|scram-.*|vapid|privatetoken|gnap)$/;

/** The schemes whose challenges say what is wrong with a token: RFC 6750 §3, RFC 9449 §7.1. */
const tokenSchemes = /^(?:bearer|dpop)$/;

/** The error codes of such a challenge for which a new token cannot help: RFC 6750 §3.1, RFC 9470. */
const hopeless = /^(?:insufficient_scope|invalid_request|insufficient_user_authentication)$/;

/**
Whether a response rejects the token, and a new one may help: a 401, unless its challenge says that a new token cannot help. Browsers hide
the challenge unless CORS exposes it, so a 401 without a challenge counts.

@see https://www.rfc-editor.org/rfc/rfc6750#section-3.1
*/
export function isUnauthorized(response: Response): boolean {
	if (response.status !== 401) return false;
	const challenges = challengesOf(response.headers);
	const isHopeless = challenges.some(
		({scheme, parameters}) => tokenSchemes.test(scheme) && hopeless.test(parameters['error'] ?? ''),
	);
	const isHopeful = challenges.some(
		({scheme, parameters}) => !otherSchemes.test(scheme) && parameters['error'] !== 'use_dpop_nonce',
	);
	return challenges.length === 0 || (isHopeful && !isHopeless);
}
