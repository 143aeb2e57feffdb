/** One call of a console method. */
export interface ConsoleCall {
	readonly method: string;
	readonly values: readonly unknown[];
}

/** What was written since the console was intercepted. */
export interface InterceptedConsole {
	readonly calls: ConsoleCall[];
	restore(): void;
}

/** Captures all output of `console` until it is restored. A library that prints will one day print a secret. */
export function interceptConsole(): InterceptedConsole {
	const calls: ConsoleCall[] = [];
	const methods = Object.entries(console).filter(([, member]) => typeof member === 'function');
	const silent = methods.map(([method]) => [method, (...values: unknown[]) => void calls.push({method, values})]);
	Object.assign(console, Object.fromEntries(silent));
	return {
		calls,
		restore: () => void Object.assign(console, Object.fromEntries(methods)),
	};
}
