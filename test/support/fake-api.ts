import ky, {type KyInstance} from 'ky';
import type {Auth} from '../../src/index.ts';

/** An API in memory. */
export interface FakeApi {
	/** The only token that it accepts. */
	accepted: string;
	/** The requests as they arrived. */
	readonly requests: Request[];
	/** The `fetch` option for ky. */
	readonly fetch: typeof fetch;
	/** Creates a ky instance that calls this API. */
	client(auth: Pick<Auth, 'hooks'>): KyInstance;
}

/** The origin of the fake API. */
export const apiOrigin = 'https://api.example.com';

/** What the API answers to a request. Undefined stands for the default: 200 for the accepted token, otherwise 401. */
export type FakeAnswer = (
	request: Request,
	token: string | undefined,
) => Response | undefined | Promise<Response | undefined>;

/**
Creates an API in memory that accepts one token, for tests that need no network.

@param answer Returns another answer than the default.
@param header The header that carries the token, and the text before the token.
*/
export function createFakeApi(answer: FakeAnswer = () => undefined, header = 'authorization: Bearer '): FakeApi {
	const [name = '', prefix = ''] = header.split(/: ?(.*)/);
	const api: FakeApi = {
		accepted: 'second',
		requests: [],
		fetch: async (input, init) => {
			const request = new Request(input, init);
			api.requests.push(request.clone());
			const sent = request.headers.get(name);
			const token = sent?.startsWith(prefix) ? sent.slice(prefix.length) : undefined;
			return (await answer(request, token)) ?? new Response('{}', {status: token === api.accepted ? 200 : 401});
		},
		client: ({hooks}) => ky.create({baseUrl: apiOrigin, fetch: api.fetch, hooks, retry: 0, throwHttpErrors: false}),
	};
	return api;
}

/** The `Authorization` header of each request, in order. */
export const authorizations = ({requests}: FakeApi, header = 'authorization'): ReadonlyArray<string | null> =>
	requests.map(({headers}) => headers.get(header));
