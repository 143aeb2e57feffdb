import type {Answer} from './serve.ts';

/** What a test may do in a server's place: wait, answer, or leave it to the server. */
export type Hook<Arguments extends unknown[]> = (
	...given: Arguments
) => Answer | undefined | void | Promise<Answer | undefined | void>;

/** A point of a server at which tests may step in. */
export interface Stage<Arguments extends unknown[]> {
	/** Adds a hook, until the returned function or `clear` removes it. */
	add(hook: Hook<Arguments>): () => void;
	/** Runs the hooks in turn until one answers. */
	run(...given: Arguments): Promise<Answer | undefined>;
	clear(): void;
}

/** A point without hooks. */
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

/** A hook that acts only on the first request: a temporary fault, such as one 503. */
export function once<Arguments extends unknown[]>(hook: Hook<Arguments>): Hook<Arguments> {
	let isSpent = false;
	return (...given) => {
		if (isSpent) return undefined;
		isSpent = true;
		return hook(...given);
	};
}
