/** The part of oauth2orize that the test uses. The package has no types of its own. */
declare module 'oauth2orize' {
	import type {ErrorRequestHandler, RequestHandler} from 'express';

	interface Client {
		readonly id: string;
	}

	interface User {
		readonly id: string;
	}

	/** A callback that gets an error, a result, or false if there is no result. */
	type Done<Result extends unknown[]> = (error: Error | null, ...result: Result | [false]) => void;

	interface Parameters {
		readonly expires_in: number;
	}

	type Issue<Given extends unknown[]> = (
		client: Client,
		...given: [
			...Given,
			Done<[accessToken: string, refreshToken: string, Parameters] | [accessToken: string, Parameters]>,
		]
	) => void;

	interface Server {
		grant(module: unknown): void;
		exchange(module: unknown): void;
		authorization(
			validate: (clientId: string, redirectUri: string, done: Done<[client: Client, redirectUri: string]>) => void,
			immediate: (client: Client, user: User, done: Done<[isAllowed: true]>) => void,
		): RequestHandler;
		token(): RequestHandler;
		errorHandler(): ErrorRequestHandler;
	}

	const oauth2orize: {
		createServer(): Server;
		readonly grant: {
			code(issue: (client: Client, redirectUri: string, user: User, done: Done<[code: string]>) => void): unknown;
		};
		readonly exchange: {
			code(issue: Issue<[code: string, redirectUri: string]>): unknown;
			clientCredentials(issue: Issue<[]>): unknown;
			refreshToken(issue: Issue<[refreshToken: string]>): unknown;
		};
	};
	export default oauth2orize;
}
