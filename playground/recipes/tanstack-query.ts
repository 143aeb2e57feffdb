// TanStack Query: cancelling a query does not lose the session, and queries are retried if regrant says that this may help.
// Run: npx vitest run test/recipes/tanstack-query.test.ts
import process from 'node:process';
import {QueryClient, type QueryFunctionContext} from '@tanstack/query-core';
import ky, {isHTTPError} from 'ky';
import {createAuth, isRegrantError} from 'regrant';

/** A user, as the API describes them. */
export interface Me {
	readonly subject: string;
}

const {TOKEN_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env; // `import.meta.env` in a page

/** In a page, add `store: indexedDbStore('session')`, so that all tabs share the session. */
export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID});

// The query client retries. If ky did too, the retries would multiply.
const api = ky.extend({baseUrl: API, retry: 0, hooks: auth.hooks});

const mayPass = (error: Error): boolean => {
	if (isRegrantError(error)) return error.retryable;
	return !isHTTPError(error) || error.response.status >= 500;
};

/** In milliseconds. Until then, the session does not ask the server, and fails with the same error. */
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
	// The next user must not see the data of this one.
	if (type === 'session-ended') queryClient.clear();
});

/** For `useQuery`, `fetchQuery` and the like. Its signal only stops the wait of this query. A running grant goes on. */
export const me = {
	queryKey: ['me'],
	queryFn: ({signal}: QueryFunctionContext): Promise<Me> => api.get('me', {signal}).json(),
} as const;
