/** Waits for so many milliseconds. */
export async function sleep(milliseconds: number): Promise<void> {
	await new Promise(resolve => void setTimeout(resolve, milliseconds));
}
