// What a page does beside service-worker.ts: it starts the worker, signs in and out by messages, and otherwise calls the API by
// an ordinary `fetch`. Run: npx vitest run test/recipes/service-worker.test.ts

/** What a page tells the worker. */
export type Message = {readonly type: 'sign-out'} | ({readonly type: 'sign-in'} & Login);

/** What a page knows when a login has come back to it. Each is good once, and nothing without the others. */
export interface Login {
	readonly code: string;
	readonly code_verifier: string;
	readonly redirect_uri: string;
}

/** Resolves when the calls of this page go through the worker. */
export async function start(): Promise<void> {
	const {serviceWorker} = navigator;
	const taken = new Promise(resolve => serviceWorker.addEventListener('controllerchange', resolve, {once: true}));
	await serviceWorker.register('/service-worker.js');
	if (!serviceWorker.controller) await taken;
}

function tell(message: Message): Promise<void> {
	return new Promise((resolve, reject) => {
		const {port1, port2} = new MessageChannel();
		port1.addEventListener('message', ({data}) => {
			port1.close();
			if (data === 'done') resolve();
			else reject(new Error(`${message.type} failed`));
		});
		port1.start();
		navigator.serviceWorker.controller?.postMessage(message, [port2]);
	});
}

/** Has the worker exchange the code for tokens, which it keeps. */
export const signIn = (login: Login): Promise<void> => tell({type: 'sign-in', ...login});

/** Signs out all pages. Rejects where the server could not be told of it. */
export const signOut = (): Promise<void> => tell({type: 'sign-out'});

/** Calls back when the session has ended, by whatever page or server. */
export function onSignedOut(callback: () => void): void {
	navigator.serviceWorker.addEventListener('message', ({data}) => {
		if (data === 'signed-out') callback();
	});
	navigator.serviceWorker.startMessages();
}
