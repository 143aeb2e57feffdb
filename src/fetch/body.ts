/** Whether a body can be read once. All others can be sent again. */
export function isReadOnce(body: unknown): boolean {
	const object = Object(body) as object;
	return 'getReader' in object || Symbol.asyncIterator in object;
}
