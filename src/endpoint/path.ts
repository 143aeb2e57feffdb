/** The names of a path's parameters: `'id'` for `accounts/{id}`. */
export type ParameterNames<Path extends string> = string extends Path
	? string
	: Path extends `${string}{${infer Name}}${infer Rest}`
		? Name | ParameterNames<Rest>
		: never;

/** Another host, a scheme, a query, a fragment, or a character that URL parsers change: they drop tabs, and take `\` for `/`. */
const foreign = /^\/\/|^[^/]*:|[?#\\]|[^!-~]/;

/** Whether a path is below a `baseUrl` or `prefix`, and is only a path (RFC 3986 §3.3). */
export function isPath(path: unknown): boolean {
	return typeof path === 'string' && !foreign.test(path);
}
