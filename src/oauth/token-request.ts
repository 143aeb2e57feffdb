import {custom, type GenericSchema, optional, strictObject, variant} from 'valibot';
import {ConfigError} from '../errors.ts';
import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {isText} from '../lib/read-options.ts';
import {type ClientFields, clientFields} from './client-fields.ts';
import {keyMessage, patternSchema, vschars} from './pattern-schema.ts';
import {type Schema, validate} from './validate.ts';

/**
A request for an access token with the client's own credentials.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
*/
export interface ClientCredentialsRequest extends ClientFields {
	/** A grant type used by clients to obtain an access token. */
	readonly grant_type: 'client_credentials';
	/** A space delimited list of scopes. Null for a server that has none. */
	readonly scope: string | null;
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
	/** A space delimited list of scopes: none beyond what was granted. What was granted, if it is left out. */
	readonly scope?: string | null | undefined;
}

/**
A token request, by the type of grant being requested.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export type AuthTokenRequest = ClientCredentialsRequest | RefreshTokenRequest;

/**
A token request of another grant type: `authorization_code` with its `code`, or an extension such as
`urn:ietf:params:oauth:grant-type:token-exchange`. The password grant is not among them.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.5
*/
export interface ExtensionTokenRequest {
	/** The name of the grant type. */
	readonly grant_type: 'authorization_code' | `urn:${string}` | `https:${string}`;
	/** The parameters of the grant. A list gives its name once for each item. */
	readonly [parameter: string]: string | readonly string[] | null | undefined;
}

/** What a token can be asked for with. */
export type TokenRequest = AuthTokenRequest | ExtensionTokenRequest;

/** What a `grant` function is given: for whom its request is, and where it goes. An assertion names both. */
export interface GrantContext {
	/** The client's id. */
	readonly clientId: string;
	/** The URL of the token endpoint. */
	readonly tokenEndpoint: string;
	/** The issuer, if the client was given one. */
	readonly issuer?: string | undefined;
}

// RFC 6749 §3.3
const scopePattern = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;
const scope = patternSchema<string | null>('scope', scopePattern, 'scope tokens with single spaces between', true);

// Of the same kind as every other field: valibot's `literal` would be one schema more in each bundle.
const exactly = <Type extends string>(type: Type): GenericSchema<Type> => custom<Type>(value => value === type);

// The entries have no prototype: valibot would take what every object inherits for one of them.
/**
Checks a token request of the API that regrant was made for first: the fields of its grant type and no others. Further parameters are for
the option `parameters`.

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
Checks a request with a schema, and copies what it has. A field that is undefined or null is left out.

@throws {ConfigError} which names the fields that are wrong.
*/
export function readRequest<Request extends object>(schema: Schema<Request>, request: unknown, name: string): Request {
	// Nullable models give null for what is not there. For a scope it is an answer.
	const isGiven = (value: unknown, field: string): boolean =>
		value !== undefined && (value !== null || field === 'scope');
	const {value, problem} = validate(schema, ownPropertiesWhere(Object(request) as object, isGiven));
	if (!value) throw new ConfigError(`${name}.${problem}`);
	return ownPropertiesWhere(value, field => field !== null) as Request;
}

/**
Checks a token request of any grant type, and copies what it has.

@throws {ConfigError} which names the fields that are wrong.
*/
export function readTokenRequest(request: unknown, name: string): TokenRequest {
	const {grant_type} = ownProperties(Object(request) as Partial<TokenRequest>);
	if (!isText(grant_type) || /^(?:client_credentials|refresh_token|password)$/.test(grant_type)) {
		return readRequest(AuthTokenRequest, request, name);
	}
	const fields = ownPropertiesWhere(request as object, field => field !== undefined && field !== null);
	checkParameters(fields, name);
	return fields as TokenRequest;
}

/**
Checks that each value is a string or a list of strings, a scope a list of scopes as the RFC has it, and a resource an absolute URI.

@throws {ConfigError} which names the parameter.
@see https://www.rfc-editor.org/rfc/rfc8707#section-2
*/
export function checkParameters(parameters: object, name: string): void {
	for (const [key, value] of Object.entries(parameters)) {
		if ([value].flat().some(item => typeof item !== 'string')) {
			throw new ConfigError(`${name}.${key} must be a string or a list of strings`);
		}
		if (key === 'scope' && !(typeof value === 'string' && scopePattern.test(value))) {
			throw new ConfigError(`${name}.scope must be scope tokens with single spaces between`);
		}
		if (key === 'resource' && [value].flat().some(uri => !/^[a-z][\w+.-]*:[^#]+$/i.test(uri as string))) {
			throw new ConfigError(`${name}.resource must be absolute URIs without fragment`);
		}
	}
}
