/** Makes an id that nobody else makes. Not `randomUUID`, which pages without https lack. */
export function randomId(): string {
	return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
