// The page of service-worker.ts. It starts the worker, signs in and out by messages, and calls the API with an ordinary `fetch`.
// Run: npx vitest run test/recipes/service-worker.test.ts

/** A message from a page to the worker. */
export type Message = {readonly type: 'sign-out'} | ({readonly type: 'sign-in'} & Login);

/** What a page has when a login comes back to it. It can be used once. */
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

/** Lets the worker exchange the code for tokens. The worker keeps them. */
export const signIn = (login: Login): Promise<void> => tell({type: 'sign-in', ...login});

/** Signs out in all pages. Rejects if the server could not be reached. */
export const signOut = (): Promise<void> => tell({type: 'sign-out'});

/** Calls back when the session has ended. */
export function onSignedOut(callback: () => void): void {
	navigator.serviceWorker.addEventListener('message', ({data}) => {
		if (data === 'signed-out') callback();
	});
	navigator.serviceWorker.startMessages();
}
