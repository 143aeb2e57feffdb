import {aText, oneOf, type Rules} from '../lib/read-options.ts';
import {clientFields, type ClientFields} from './token-request.ts';

/**
A revocation request.

@see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
*/
export interface RevokeTokenRequest extends ClientFields {
	/** The access or refresh token to revoke. Printable ASCII. */
	readonly token: string;
	/** The type of `token`. A server that does not find it under this type looks under the others. */
	readonly token_type_hint?: 'access_token' | 'refresh_token' | undefined;
}

/** The rules of its fields. */
export const revocationFields: Rules = {
	token: aText,
	token_type_hint: oneOf('access_token', 'refresh_token'),
	...clientFields,
};
