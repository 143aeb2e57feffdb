import {type GenericSchema, optional, picklist, strictObject} from 'valibot';
import {type ClientFields, clientFields} from './client-fields.ts';
import {patternSchema, keyMessage, vschars} from './pattern-schema.ts';
import {ownProperties} from '../lib/own-properties.ts';

/**
A revocation request.

@see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
*/
export interface RevokeTokenRequest extends ClientFields {
	/** The access or refresh token to revoke. Printable ASCII. */
	readonly token: string;
	/** What `token` is. A server that does not find it there looks elsewhere. */
	readonly token_type_hint?: 'access_token' | 'refresh_token' | undefined;
}

/**
Checks a revocation request.

@see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
*/
export const RevokeTokenRequest: GenericSchema<RevokeTokenRequest> = strictObject(
	ownProperties({
		token: patternSchema('token', vschars, 'printable ASCII'),
		token_type_hint: optional(
			picklist(['access_token', 'refresh_token'], 'token_type_hint must be access_token or refresh_token'),
		),
		...clientFields,
	}),
	keyMessage,
);
