import {custom, type GenericSchema, object, optional, unknown} from 'valibot';
import {ownProperties} from '../lib/own-properties.ts';
import {type AuthToken as TokenAnswer, tokenFields} from '../token/token-response.ts';
import {keyMessage} from './pattern-schema.ts';

/**
An answer of a token endpoint, as it comes.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export type AuthToken = TokenAnswer;

const entries = Object.entries(tokenFields).map(([name, [isRight, expected]]) => {
	const schema = custom<unknown>(isRight, `${name} must be ${expected}`);
	return [name, name === 'access_token' ? schema : optional(schema)];
});

/**
Checks an answer of a token endpoint, field by field. Fields that it does not know are left out.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
// The entries are those of the interface: a type test compares the two.
export const AuthToken: GenericSchema<AuthToken> = object(
	ownProperties({
		...Object.fromEntries(entries),
		expires_in: optional(unknown()),
		expires_at: optional(unknown()),
	}),
	keyMessage,
) as unknown as GenericSchema<AuthToken>;
