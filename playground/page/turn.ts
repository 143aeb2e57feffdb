/** Runs a task when no other runs, in no tab of this page: all of them use the same server, and some change how it behaves. */
export async function takeTurn<T>(task: () => Promise<T>): Promise<T> {
	return navigator.locks.request('playground', task);
}
