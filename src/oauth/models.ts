import {custom, type GenericSchema, object, optional, type OptionalSchema, strictObject, variant} from 'valibot';
import {ownProperties} from '../lib/own-properties.ts';
import {isAnything, oneOf, type Rules} from '../lib/read-options.ts';
import {type AuthToken as TokenAnswer, tokenFields} from '../token/token-response.ts';
import {type RevokeTokenRequest as RevocationRequest, revocationFields} from './revocation-request.ts';
import {credentialsFields, refreshFields, type AuthTokenRequest as Request} from './token-request.ts';

/**
A response of a token endpoint, as the server sends it.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export type AuthToken = TokenAnswer;

/**
A token request, by its grant type.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export type AuthTokenRequest = Request;

/**
A revocation request.

@see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
*/
export type RevokeTokenRequest = RevocationRequest;

type Entries = Record<string, GenericSchema | OptionalSchema<GenericSchema, undefined>>;

/** Turns rules into schemas. Unlike valibot's own messages, theirs name the field and do not quote the value. */
function entriesOf<Required extends string = never>(
	rules: Rules,
	required: readonly string[],
): Entries & Record<Required, GenericSchema> {
	const entries = Object.entries(rules).map(([name, [isRight, expected]]) => {
		const schema = custom<unknown>(value => !!isRight(value), `${name} must be ${expected}`);
		return [name, required.includes(name) ? schema : optional(schema)] as const;
	});
	// Without a prototype, because valibot would read an inherited property as an entry.
	return ownProperties(Object.fromEntries(entries)) as unknown as Entries & Record<Required, GenericSchema>;
}

/** The message for a record that lacks a field, or has an unknown one. */
function keyMessage({
	expected,
	path,
}: {
	readonly expected: string | null;
	readonly path?: readonly {readonly key: unknown}[] | undefined;
}): string {
	const key = (path?.[0]?.key ?? 'it') as string; // the keys of records are strings
	return `${key} ${expected === 'never' ? 'is not a field' : 'is required'}`;
}

/**
Checks a response of a token endpoint, field by field. Unknown fields are left out.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
// A type test makes sure that the fields are those of the interface.
export const AuthToken: GenericSchema<AuthToken> = object(
	entriesOf({...tokenFields, expires_in: isAnything, expires_at: isAnything}, ['access_token']),
	keyMessage,
) as unknown as GenericSchema<AuthToken>;

/**
Checks a token request of Moov's API: the fields of its grant type, and no others. Pass further parameters with the option `parameters`.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export const AuthTokenRequest: GenericSchema<AuthTokenRequest> = variant(
	'grant_type',
	[
		strictObject(
			entriesOf<'grant_type'>({...credentialsFields, grant_type: oneOf('client_credentials')}, ['grant_type', 'scope']),
			keyMessage,
		),
		strictObject(
			entriesOf<'grant_type'>({...refreshFields, grant_type: oneOf('refresh_token')}, ['grant_type', 'refresh_token']),
			keyMessage,
		),
	],
	'grant_type must be client_credentials or refresh_token',
) as unknown as GenericSchema<AuthTokenRequest>;

/**
Checks a revocation request.

@see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
*/
export const RevokeTokenRequest: GenericSchema<RevokeTokenRequest> = strictObject(
	entriesOf(revocationFields, ['token']),
	keyMessage,
) as unknown as GenericSchema<RevokeTokenRequest>;
