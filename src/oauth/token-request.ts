import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {aText, aTextOrNone, isText, matches, readOptions, texts, type Rule, type Rules} from '../lib/read-options.ts';

/** How a client can identify itself in the body. */
export interface ClientFields {
	/** Client ID can be provided here in the body, or as the Username in HTTP Basic Auth. Printable ASCII. */
	readonly client_id?: string | undefined;
	/** Client secret can be provided here in the body, or as the Password in HTTP Basic Auth. Printable ASCII. */
	readonly client_secret?: string | undefined;
}

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
`urn:ietf:params:oauth:grant-type:token-exchange`. The password grant is not allowed.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.5
*/
export interface ExtensionTokenRequest {
	/** The name of the grant type. An extension is named by a URI. */
	readonly grant_type: 'authorization_code' | `${string}:${string}`;
	/** The parameters of the grant. A list repeats its name for each item. */
	readonly [parameter: string]: string | readonly string[] | null | undefined;
}

/**
Any token request.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export type TokenRequest = AuthTokenRequest | ExtensionTokenRequest;

/**
What a `grant` function gets: the client, and where its request is sent. An assertion names both.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
*/
export interface GrantContext {
	/** The client's id. */
	readonly clientId: string;
	/** The URL of the token endpoint. */
	readonly tokenEndpoint: string;
	/** The issuer, if the client has one. */
	readonly issuer?: string | undefined;
}

/** The rules of these fields: RFC 6749 appendix A.1 and A.2. Empty fields are left out. */
export const clientFields: Rules = {client_id: aTextOrNone, client_secret: aTextOrNone};

/** RFC 6749 §3.3 */
const isScope = matches(/^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/);

/** The rule of a scope. */
export const aScope: Rule = [
	scope => scope === null || isScope(scope),
	'scopes with single spaces between, or null if the server has none',
];

/** The rules of a request with the client's own credentials. */
export const credentialsFields: Rules = {
	grant_type: [type => isText(type) && type !== 'password', 'a grant type, and not password'],
	...clientFields,
	scope: aScope,
};
/** The same for a nullable model, which has null for the field of the other grant. */
const nullableFields: Rules = {...credentialsFields, refresh_token: [token => token === null, 'left out']};
/** The rules of a refresh, and of every other grant. */
export const refreshFields: Rules = {...credentialsFields, refresh_token: aText};

/**
Checks the fields of a request, and copies them. Undefined and null fields are left out.

@param name The name of the request in messages.
@param others The rule of fields that have no rule of their own. Without it, they are refused.
@throws {ConfigError} if a field is wrong. The message names it.
*/
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it names what was checked
export function readFields<Fields extends object>(
	fields: unknown,
	name: string,
	rules: Rules,
	required?: readonly string[],
	others?: Rule,
): Fields {
	const read = readOptions(fields as Fields, rules, required, `${name}.`, others);
	// Nullable models use null for a missing field. Only for a scope does null have a meaning.
	return ownPropertiesWhere(read, field => field !== null) as Fields; // as just checked
}

/**
Checks a token request of any grant type, and copies its fields.

@throws {ConfigError} if a field is wrong. The message names it.
*/
export function readTokenRequest(request: unknown, name: string): TokenRequest {
	const {grant_type} = ownProperties(request as Partial<TokenRequest>);
	if (grant_type === 'client_credentials') return readFields(request, name, nullableFields, ['scope']);
	if (grant_type === 'refresh_token') return readFields(request, name, refreshFields, ['refresh_token']);
	return readFields(request, name, refreshFields, ['grant_type'], texts);
}
