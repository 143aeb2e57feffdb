/** Whether a body can be read only once. Other bodies can be resent. */
export function isReadOnce(body: unknown): boolean {
	const object = Object(body) as object;
	return 'getReader' in object || Symbol.asyncIterator in object;
}
