import {answerTrip, type Servers} from '../shared/whereabouts.ts';
import {serve, type Served} from './serve.ts';

/** Two servers, of which one may get the token, and what came to them. */
export interface TwoServers extends Servers {
	/** The requests that carried the token, by the origin that they asked for: its server, and its name in `Host`. */
	carried(accessToken: string): {readonly toListed: number; readonly elsewhere: readonly string[]};
	close(): Promise<void>;
}

/** Starts the servers. They follow the chain of redirects that a URL names. */
export async function startTwoServers(): Promise<TwoServers> {
	const start = (): Promise<Served> =>
		serve((_request, {path}) => {
			const {status, location} = answerTrip(path);
			return {status, headers: location === undefined ? [] : [['location', location]]};
		});
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
		close: async () => {
			await Promise.all([listed.close(), unlisted.close()]);
		},
	};
}
