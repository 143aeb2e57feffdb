import {assembleAuth, type Auth, type SessionOptions, sessionRules} from './auth.ts';
import {aFunction, readOptions} from './lib/read-options.ts';
import {functionRenewer, type RenewFunction} from './session/function-renewer.ts';

/** What `createSession` takes. */
export interface CreateSessionOptions extends SessionOptions {
	/**
	Gets a token from your own backend, or from an SDK: the answer of a token endpoint. It runs once for all who wait, within `timeout`.

	`undefined` and `null` say that the session is over. So does a rejection with an HTTP status of 400, 401 or 403 in `error.response.status`,
	as ky's `HTTPError` has it. Any other rejection is a failure for now: callers get a `RenewalError`, and the session stays.
	*/
	readonly renew: RenewFunction;
}

/**
Creates a session whose tokens come from your own backend, or from an SDK. Nothing is read or sent before it is used.

@throws {ConfigError} which names an option that is missing, not known or not usable.
@example
```ts
const auth = createSession({
	renew: ({signal}) => ky.post('/session/refresh', {signal}).json(), // {access_token, expires_in}
	origins: ['https://api.example.com'],
});
```
*/
export function createSession(options: CreateSessionOptions): Auth {
	const {renew, ...others} = readOptions(options, {...sessionRules, renew: aFunction}, ['renew']);
	return assembleAuth(others, settings => functionRenewer(renew as RenewFunction, settings)); // as just checked
}
