// TanStack Query: a query that is cancelled costs no session, and what to try again is what regrant says may work later.
// Run: npx vitest run test/recipes/tanstack-query.test.ts
import process from 'node:process';
import {QueryClient, type QueryFunctionContext} from '@tanstack/query-core';
import ky, {isHTTPError} from 'ky';
import {createAuth, isRegrantError} from 'regrant';

/** What the API says of a user. */
export interface Me {
	readonly subject: string;
}

const {TOKEN_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env; // `import.meta.env` in a page

/** In a page also with `store: indexedDbStore('session')`, which all tabs share. */
export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID});

// The query client tries again: if ky did as well, the tries would multiply.
const api = ky.extend({baseUrl: API, retry: 0, hooks: auth.hooks});

const mayPass = (error: Error): boolean => {
	if (isRegrantError(error)) return error.retryable;
	return !isHTTPError(error) || error.response.status >= 500;
};

/** Milliseconds: until then the session asks the server nothing, and fails with the same error. */
const askedToWait = (error: Error): number | undefined =>
	'retryAfter' in error && typeof error.retryAfter === 'number' ? error.retryAfter : undefined;

export const queryClient = new QueryClient({
	defaultOptions: {
		queries: {
			retry: (failures, error) => failures < 3 && mayPass(error),
			retryDelay: (failures, error) => askedToWait(error) ?? 1000 * 2 ** failures,
		},
	},
});

auth.subscribe(({type}) => {
	// The next user must not see what this one has seen.
	if (type === 'session-ended') queryClient.clear();
});

/** For `useQuery`, `fetchQuery` and the like. Its signal ends the wait of this query alone: a grant under way goes on. */
export const me = {
	queryKey: ['me'],
	queryFn: ({signal}: QueryFunctionContext): Promise<Me> => api.get('me', {signal}).json(),
} as const;
