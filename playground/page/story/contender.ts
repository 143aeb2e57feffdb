import type {Login} from '../sign-in.ts';

/** What either side of the comparison begins with. */
export interface Contender {
	/** The origin of the API. */
	readonly baseUrl: string;
	readonly tokenEndpoint: string;
	readonly login: Login;
	/** The `fetch` that draws what it sends. */
	readonly fetch: typeof fetch;
}
