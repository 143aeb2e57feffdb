import {isRecord, ownProperties} from '../lib/own-properties.ts';
import {isAnything, matches, readOptions, type Rules} from '../lib/read-options.ts';
import {
	type Client,
	clientOf,
	clientRules,
	readParameters,
	requiredOptions,
	type TokenClient,
	type TokenParameters,
} from '../oauth/client.ts';

/** The options that every kind of login has. */
export interface LoginClient extends Omit<TokenClient, 'parameters'> {
	/**
	The scopes to request, separated by spaces.

	@default the server decides
	@see https://www.rfc-editor.org/rfc/rfc6749#section-3.3
	*/
	readonly scope?: string | undefined;
	/**
	Further parameters of the request that begins the login, such as `audience`, `prompt` or `login_hint`. `resource` is also sent to the
	token endpoint. Parameters that regrant sets itself are refused, and so is `response_mode`: the answer is read from the query.

	@default none
	@example
	```ts
	parameters: {resource: ['https://api.example.com', 'https://files.example.com']}
	```
	@see https://www.rfc-editor.org/rfc/rfc8707#section-2
	*/
	readonly parameters?: TokenParameters | undefined;
}

/** The options of a login, checked and copied. They include the client that requests the token. */
export type CheckedLogin<Options extends LoginClient, Name extends keyof Options> = Omit<Client, 'parameters'> &
	Omit<Options, keyof Client> & {
		readonly [Key in Name]-?: NonNullable<Options[Key]>;
	} & {
		/** Of the request that begins the login, with the scope. Token requests do not have them. */
		readonly parameters: TokenParameters;
	};

/**
Checks the options of a login, and copies them.

@param required The options that this kind of login needs, in addition to those of every client.
@param rules The rules of its own options.
@throws {ConfigError} if an option is missing, unknown or unusable. The message names it.
*/
export function readLogin<Options extends LoginClient, Name extends keyof Options & string>(
	options: Options,
	required: readonly Name[],
	rules?: Rules,
): CheckedLogin<Options, Name> {
	const given = readOptions<LoginClient>(
		options,
		{
			...clientRules,
			scope: isAnything,
			parameters: [isRecord, 'an object'],
			...rules,
		},
		[...requiredOptions, ...required],
	);
	// The client gets every other option.
	return clientOf(
		ownProperties({
			...given,
			keep: ['id_token', ...(given.keep ?? [])],
			parameters: readLoginParameters({scope: given.scope, ...given.parameters}),
		}),
	) as CheckedLogin<Options, Name>;
}

/**
Checks further parameters of a login, and copies them. Those that a login sets itself are refused, and so is `response_mode`: an answer in
another place than the query would not be found. A resource is an absolute URI.

@throws {ConfigError} if a parameter cannot be used. The message names it.
@see https://www.rfc-editor.org/rfc/rfc8707#section-2
*/
export function readLoginParameters(parameters: unknown): TokenParameters {
	return readParameters(parameters, /^(?:redirect_uri|state|nonce|response_.*|code_challenge.*)$/, {
		resource: [value => [value].flat().every(matches(/^[\w+.-]+:[^#]+$/)), 'absolute URIs'],
	});
}
