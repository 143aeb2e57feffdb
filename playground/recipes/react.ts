// React: a component that knows whether somebody is signed in. It follows the session, also in other tabs.
// Run: npx vitest run test/recipes/react.test.ts
import process from 'node:process';
import ky from 'ky';
import {createElement, Fragment, type ReactNode, useSyncExternalStore} from 'react';
import {type Auth, createAuth} from 'regrant';

const {TOKEN_ENDPOINT = '', REVOCATION_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env; // `import.meta.env` in a page

// Created once for the page, outside of all components. With `store: indexedDbStore('session')`, all tabs share the session.
export const auth = createAuth({
	tokenEndpoint: TOKEN_ENDPOINT,
	revocationEndpoint: REVOCATION_ENDPOINT,
	clientId: CLIENT_ID,
});

export const api = ky.extend({baseUrl: API, hooks: auth.hooks});

const unknown = (): Auth['status'] => 'unknown';

/** On a server it is always `unknown`, because the session is in the browser. */
export const useStatus = (): Auth['status'] => useSyncExternalStore(auth.subscribe, () => auth.status, unknown);

/** Shows its children if somebody is signed in, and `login` if not. Shows neither until that is known. */
export function SignedIn({login, children}: {readonly login: ReactNode; readonly children?: ReactNode}): ReactNode {
	const status = useStatus();
	if (status === 'unknown') return null;
	return createElement(Fragment, null, status === 'signed-in' ? children : login);
}
