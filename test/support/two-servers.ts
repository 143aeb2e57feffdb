import {answerTrip, type Servers} from '../shared/whereabouts.ts';
import {type Handler, serve, type Served} from './serve.ts';

/** Where a token went: how often to the allowed server, and every request that took it elsewhere. */
export interface Carried {
	readonly toListed: number;
	readonly elsewhere: readonly string[];
}

/** Two servers, and the requests that they got. Only one of them may get the token. */
export interface TwoServers extends Servers {
	/** Returns the requests that carried the token. They are sorted by the server that got them and by their `Host` header. */
	carried(accessToken: string): Carried;
	/** Clears the recorded requests. */
	reset(): void;
	close(): Promise<void>;
}

/** Answers with the next redirect of the chain in the URL. */
export const followChain: Handler = (_request, {path}) => {
	const {status, location} = answerTrip(path);
	return {status, headers: location === undefined ? [] : [['location', location]]};
};

/** Starts both servers. */
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
