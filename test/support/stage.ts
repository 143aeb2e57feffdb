import type {Answer} from './serve.ts';

/** A function of a test that runs in a server's place. It can delay a request, answer it, or leave it to the server. */
export type Hook<Arguments extends unknown[]> = (
	...given: Arguments
) => Answer | undefined | void | Promise<Answer | undefined | void>;

/** A point at which a server runs hooks. */
export interface Stage<Arguments extends unknown[]> {
	/** Adds a hook. The returned function and `clear` remove it. */
	add(hook: Hook<Arguments>): () => void;
	/** Runs the hooks in order until one of them answers. */
	run(...given: Arguments): Promise<Answer | undefined>;
	clear(): void;
}

/** Creates a point without hooks. */
export function createStage<Arguments extends unknown[]>(): Stage<Arguments> {
	const hooks = new Set<Hook<Arguments>>();
	return {
		add(hook) {
			hooks.add(hook);
			return () => void hooks.delete(hook);
		},
		async run(...given) {
			for (const hook of hooks) {
				const answer = await hook(...given);
				if (answer) return answer;
			}
			return undefined;
		},
		clear: () => hooks.clear(),
	};
}

/** Creates a hook that acts only on the first request. It simulates a temporary fault, such as one 503. */
export function once<Arguments extends unknown[]>(hook: Hook<Arguments>): Hook<Arguments> {
	let isSpent = false;
	return (...given) => {
		if (isSpent) return undefined;
		isSpent = true;
		return hook(...given);
	};
}
