import {custom, type GenericSchema, optional, strictObject, variant} from 'valibot';
import {type ClientFields, clientFields} from './client-fields.ts';
import {ConfigError} from '../errors.ts';
import {patternSchema, keyMessage, vschars} from './pattern-schema.ts';
import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {type Schema, validate} from './validate.ts';

/**
A request for an access token with the client's own credentials.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
*/
export interface ClientCredentialsRequest extends ClientFields {
	/** A grant type used by clients to obtain an access token. */
	readonly grant_type: 'client_credentials';
	/** A space delimited list of scopes. */
	readonly scope: string;
}

/**
A request for a new access token with a refresh token.

@see https://www.rfc-editor.org/rfc/rfc6749#section-6
*/
export interface RefreshTokenRequest extends ClientFields {
	/** A grant type used by clients to obtain a new access token using a refresh token. */
	readonly grant_type: 'refresh_token';
	/** The refresh token returned alongside the access token being refreshed. Printable ASCII. */
	readonly refresh_token: string;
	/** A space delimited list of scopes: none beyond what was granted. What was granted, where it is left out. */
	readonly scope?: string | undefined;
}

/**
A token request, by the type of grant being requested.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export type AuthTokenRequest = ClientCredentialsRequest | RefreshTokenRequest;

// RFC 6749 §3.3
const scope = patternSchema('scope', /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/, 'scope tokens with single spaces between');

// With what every other field is made of: valibot's `literal` would be one schema more in each bundle.
const exactly = <Type extends string>(type: Type): GenericSchema<Type> => custom<Type>(value => value === type);

// The entries are without a prototype: valibot would take what every object inherits for one of them.
/**
Checks a token request: the fields of its grant type and no others. A parameter beyond these is added by a client
authentication method of your own.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export const AuthTokenRequest: GenericSchema<AuthTokenRequest> = variant(
	'grant_type',
	[
		strictObject(ownProperties({grant_type: exactly('client_credentials'), ...clientFields, scope}), keyMessage),
		strictObject(
			ownProperties({
				grant_type: exactly('refresh_token'),
				...clientFields,
				refresh_token: patternSchema('refresh_token', vschars, 'printable ASCII'),
				scope: optional(scope),
			}),
			keyMessage,
		),
	],
	'grant_type must be client_credentials or refresh_token',
);

/**
Checks a request and copies what it has: a field that is undefined or null, as nullable models give it, is not there.

@throws {ConfigError} which names the fields that are wrong.
*/
export function readRequest<Request extends object>(schema: Schema<Request>, request: unknown, name: string): Request {
	const present = ownPropertiesWhere(Object(request) as object, value => value !== undefined && value !== null);
	const {value, problem} = validate(schema, present);
	if (!value) throw new ConfigError(`Not a usable ${name}: ${problem}`);
	return value;
}
