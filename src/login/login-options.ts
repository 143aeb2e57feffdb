import {isRecord, ownProperties} from '../lib/own-properties.ts';
import {isAnything, matches, readInsecureOrigins, readOptions, type Rule, type Rules} from '../lib/read-options.ts';
import {
	type Client,
	clientOf,
	clientRules,
	readParameters,
	requiredOptions,
	type TokenClient,
	type TokenParameters,
} from '../oauth/client.ts';

/** The parameters that a login sets. */
const ownNames = /^(?:response_type|redirect_uri|state|nonce|code_challenge.*)$/;

const isAbsolute = matches(/^[\w+.-]+:[^#]+$/);
const aResource: Rule = [value => [value].flat().every(isAbsolute), 'absolute URIs'];

/** The options that every kind of login has. */
export interface LoginClient extends Omit<TokenClient, 'parameters'> {
	/**
	The scopes to ask for, separated by spaces.

	@default the server decides
	@see https://www.rfc-editor.org/rfc/rfc6749#section-3.3
	*/
	readonly scope?: string | undefined;
	/**
	Further parameters of the request that begins the login, such as `audience`, `prompt` or `login_hint`. `resource` goes to the token
	endpoint as well.

	@default none
	@example
	```ts
	parameters: {resource: ['https://api.example.com', 'https://files.example.com']}
	```
	@see https://www.rfc-editor.org/rfc/rfc8707#section-2
	*/
	readonly parameters?: TokenParameters | undefined;
}

/** The options of a login, checked and copied. As a client it asks for the token in the end. */
export type CheckedLogin<Options extends LoginClient, Name extends keyof Options> = Omit<Client, 'parameters'> &
	Omit<Options, keyof Client> & {
		readonly [Key in Name]-?: NonNullable<Options[Key]>;
	} & {
		/** Of the request that begins the login, with the scope. Token requests do not have them. */
		readonly parameters: TokenParameters;
	};

/**
Checks the options of a login, and copies them.

@param required The options that this kind of login must have beside those of every client.
@param rules Those of its own options, given the origins for which plain http is accepted.
@throws {ConfigError} which names an option that is missing, not known or not usable.
*/
export function readLogin<Options extends LoginClient, Name extends keyof Options & string>(
	options: Options,
	required: readonly Name[],
	rules?: (insecureOrigins: readonly string[]) => Rules,
): CheckedLogin<Options, Name> {
	const insecureOrigins = readInsecureOrigins(Object(options));
	const given = readOptions<LoginClient>(
		options,
		{
			...clientRules(insecureOrigins),
			scope: isAnything,
			parameters: [isRecord, 'an object'],
			...rules?.(insecureOrigins),
		},
		[...requiredOptions, ...required],
	);
	const {keep = [], parameters, scope} = given;
	// A client has all that it was given.
	return clientOf(
		ownProperties({
			...given,
			keep: [...keep, 'id_token'],
			parameters: readLoginParameters({scope, ...parameters}),
		}),
	) as CheckedLogin<Options, Name>;
}

/**
Checks further parameters of a login, and copies them. A resource is an absolute URI.

@throws {ConfigError} which names the parameter.
@see https://www.rfc-editor.org/rfc/rfc8707#section-2
*/
export function readLoginParameters(parameters: unknown): TokenParameters {
	return readParameters(parameters, ownNames, {resource: aResource});
}
