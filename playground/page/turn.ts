/**
Runs one task at a time, in all tabs of this page together. They share a server, and some tasks change how it behaves.
*/
export async function takeTurn<T>(task: () => Promise<T>): Promise<T> {
	return navigator.locks.request('playground', task);
}
