import {assembleAuth, type Auth, type SessionOptions, sessionRules} from './auth.ts';
import {aFunction, readOptions} from './lib/read-options.ts';
import {functionRenewer, type RenewFunction} from './session/function-renewer.ts';

/** What `createSession` takes. */
export interface CreateSessionOptions extends SessionOptions {
	/**
	Gets a token from your own backend or from an SDK: a response like that of a token endpoint. It runs once for all waiting callers, and
	has `timeout` milliseconds. Return `undefined` or `null` to end the session. A rejection with 400, 401 or 403 in
	`error.response.status`, as ky's `HTTPError` has it, ends the session too. The platform's `fetch` does not reject then: throw such an
	error, or return `undefined`. After any other rejection the session goes on, and the callers get a `RenewalError`. An ended session asks
	again if you call `refresh()`.
	*/
	readonly renew: RenewFunction;
}

/**
Creates a session whose tokens come from your own backend or from an SDK. It reads and sends nothing until you use it.

@throws {ConfigError} if an option is missing, unknown or unusable. The message names it.
@example
```ts
const auth = createSession({
	renew: ({signal}) => ky.post('/session/refresh', {signal}).json(), // {access_token, expires_in}
	origins: ['https://api.example.com'],
});
```
*/
export function createSession(options: CreateSessionOptions): Auth {
	const given = readOptions(options, {...sessionRules, renew: aFunction}, ['renew']);
	return assembleAuth(given as CreateSessionOptions, functionRenewer); // as just checked
}
