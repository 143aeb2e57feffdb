import {createMutex} from '../lib/mutex.ts';
import {isSameToken, type TokenSet} from '../token/token-set.ts';
import type {TokenStore} from './token-cell.ts';

/**
Keeps the token in memory: the default. All sessions with the same store share one token, and make one token request at a time.

@example
```ts
import {createAuth, memoryStore} from 'regrant';

const store = memoryStore();
const accounts = createAuth({tokenEndpoint, clientId, grant, store, origins: ['https://accounts.example.com']});
const reports = createAuth({tokenEndpoint, clientId, grant, store, origins: ['https://reports.example.com']});
```
*/
export function memoryStore(): TokenStore {
	let held: TokenSet | undefined;
	const mutex = createMutex();
	const swap = async (from: TokenSet | undefined, to: TokenSet | undefined): Promise<boolean> => {
		const isThere = isSameToken(held, from);
		if (isThere) held = to;
		return isThere;
	};
	return {
		peek: () => held,
		read: async () => held,
		swap: async (_use, from, to) => swap(from, to),
		overwrite: async (_use, decide) => {
			const previous = held;
			held = decide(previous).token;
			return {previous, error: undefined};
		},
		exclusive: async ({timeout}, task) =>
			mutex.runExclusive(() => task({claim: async from => isSameToken(held, from), commit: swap}), 2 * timeout),
		onChange: () => {},
	};
}
