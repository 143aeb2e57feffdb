import {answerTrip, type Servers} from '../shared/whereabouts.ts';
import {type Handler, serve, type Served} from './serve.ts';

/** Where a token went: how often to where it may go, and every request that took it elsewhere. */
export interface Carried {
	readonly toListed: number;
	readonly elsewhere: readonly string[];
}

/** Two servers, of which one may get the token, and what came to them. */
export interface TwoServers extends Servers {
	/** The requests that carried the token, by the origin that they asked for: its server, and its name in `Host`. */
	carried(accessToken: string): Carried;
	/** Forgets what has come so far. */
	reset(): void;
	close(): Promise<void>;
}

/** Goes on with the chain of redirects that a URL names. */
export const followChain: Handler = (_request, {path}) => {
	const {status, location} = answerTrip(path);
	return {status, headers: location === undefined ? [] : [['location', location]]};
};

/** Starts the servers. */
export async function startTwoServers(handler: Handler = followChain): Promise<TwoServers> {
	const start = (): Promise<Served> => serve(handler);
	const [listed, unlisted] = await Promise.all([start(), start()]);
	return {
		listed: listed.origin,
		unlisted: unlisted.origin,
		carried: accessToken => {
			const withToken = ({requests}: Served) => requests.filter(seen => JSON.stringify(seen).includes(accessToken));
			const own = withToken(listed);
			const isRight = (host: string | undefined): boolean => `http://${host}` === listed.origin;
			return {
				toListed: own.filter(({headers}) => isRight(headers['host'])).length,
				elsewhere: [...own.filter(({headers}) => !isRight(headers['host'])), ...withToken(unlisted)].map(
					({method, path, headers}) => `${method} ${headers['host']}${path}`,
				),
			};
		},
		reset: () => {
			for (const {requests} of [listed, unlisted]) requests.length = 0;
		},
		close: async () => {
			await Promise.all([listed.close(), unlisted.close()]);
		},
	};
}
