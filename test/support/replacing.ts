import {readFileSync} from 'node:fs';
import type {Plugin} from 'esbuild';

/** Bundles recipes with other texts in place of their own: the addresses of the test's servers, for example. */
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
