import {readFileSync} from 'node:fs';
import type {Plugin} from 'esbuild';

/** Creates a bundler plug-in that replaces texts in recipes, for example by the addresses of the test's servers. */
export function replacing(texts: Readonly<Record<string, string>>): Plugin {
	return {
		name: 'replacing',
		setup(build) {
			build.onLoad({filter: /playground\/recipes\/[\w-]+\.ts$/}, ({path}) => ({
				loader: 'ts',
				contents: Object.entries(texts).reduce(
					(text, [from, to]) => text.replaceAll(from, to),
					readFileSync(path, 'utf8'),
				),
			}));
		},
	};
}
