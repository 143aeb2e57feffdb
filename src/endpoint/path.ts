/** The names of a path's parameters: `'id'` for `accounts/{id}`. */
export type ParameterNames<Path extends string> = string extends Path
	? string
	: Path extends `${string}{${infer Name}}${infer Rest}`
		? Name | ParameterNames<Rest>
		: never;

/** A parameter of a path. Its name has none of the characters that a path cannot have either. */
export const parameter: RegExp = /\{([^?#\\{}\s]+)\}/g;

/**
What a path cannot have beside its parameters: another host, a scheme, a query, a fragment, a brace, or a character that URL parsers
change (they drop tabs, and take `\` for `/`). What is left is below the `baseUrl` or `prefix`, and is only a path (RFC 3986 §3.3).
*/
export const foreign: RegExp = /^\/\/|^[^/]*:|[?#\\{}]|[^!-~]/;
