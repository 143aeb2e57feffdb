import {compile, type Pattern} from './regexp-steps.ts';

/** Methods that go through the whole text, or up to the position at which they find something. */
const searches = ['includes', 'indexOf', 'replaceAll', 'split'] as const;

/**
Counts the work of a task on text: the steps of these regular expressions, and the characters that string methods may read. If the platform
itself is written in JavaScript, its share is counted, too.
*/
export async function workOf(patterns: readonly Pattern[], task: () => unknown): Promise<number> {
	const machines = new Map(patterns.map(({source, flags}) => [`/${source}/${flags}`, compile({source, flags})]));
	let work = 0;
	const {exec} = RegExp.prototype;
	const {indexOf} = String.prototype;
	const restore = [
		replace(RegExp.prototype, 'exec', function (this: RegExp, text: string) {
			const from = this.sticky || this.global ? this.lastIndex : 0;
			const found = exec.call(this, text);
			const search = machines.get(String(this))?.(text, from);
			const end = found ? found.index + found[0].length : undefined;
			if (search && search.end !== end)
				throw new Error(`The machine is wrong: ${search.end}, not ${end} of ${String(this)}`);
			work += search?.steps ?? 1;
			return found;
		}),
		...searches.map(name => {
			const native: unknown = String.prototype[name];
			return replace(String.prototype, name, function (this: string, ...given: unknown[]) {
				const from = name === 'split' || name === 'replaceAll' ? 0 : Number(given[1] ?? 0);
				const found = name === 'indexOf' || name === 'includes' ? indexOf.call(this, String(given[0]), from) : -1;
				work += 1 + (found >= 0 ? found : this.length) - Math.min(from, this.length);
				return Reflect.apply(native as () => unknown, this, given); // calls the original with the arguments of the caller
			});
		}),
	];
	try {
		await task();
		return work;
	} finally {
		for (const undo of restore) undo();
	}
}

function replace(target: object, name: string, value: unknown): () => void {
	const before = Object.getOwnPropertyDescriptor(target, name) ?? {};
	Object.defineProperty(target, name, {...before, value});
	return () => Object.defineProperty(target, name, before);
}
