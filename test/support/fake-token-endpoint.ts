import {type AuthOptions, createAuth} from '../../src/index.ts';
import {apiOrigin} from './fake-api.ts';

/** A client whose token endpoint is a function of the test. */
export interface FakeClient {
	readonly auth: ReturnType<typeof createAuth>;
	/** The parameters of the requests, in order. */
	readonly asked: ReadonlyArray<Readonly<Record<string, string>>>;
}

/**
Creates a client whose token endpoint answers in memory, for tests that need no network.

@param answer Returns the answer to a request by its index, from 0. Undefined stands for the tokens `granted-n` and a refresh token.
*/
export function createFakeClient(
	answer: (count: number, parameters: Readonly<Record<string, string>>) => Response | undefined,
	options: Partial<AuthOptions> = {},
): FakeClient {
	const asked: Array<Readonly<Record<string, string>>> = [];
	const auth = createAuth({
		tokenEndpoint: 'https://as.example/token',
		clientId: 'app',
		origins: [apiOrigin],
		fetch: async (input, init) => {
			const parameters = Object.fromEntries(new URLSearchParams(await new Request(input, init).text()));
			const count = asked.push(parameters) - 1;
			const given = {access_token: `granted-${count}`, refresh_token: `refresh-${count}`, expires_in: 60};
			return answer(count, parameters) ?? Response.json(given);
		},
		...options,
	});
	return {auth, asked};
}

/** Creates the response of an OAuth error. */
export const refusal = (error: string, status = 400): Response => Response.json({error}, {status});
