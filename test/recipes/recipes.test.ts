import {globSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import manifest from '../../package.json' with {type: 'json'};

const recipes = globSync('playground/recipes/*.ts').toSorted();

const publicNames = Object.keys(manifest.exports).map(entry => entry.replace('.', 'regrant'));

test('there are recipes', () => {
	expect(recipes.length).toBeGreaterThan(0);
});

test.for(recipes)('%s can be copied: it is short, stands alone, and says how it is run', recipe => {
	const text = readFileSync(recipe, 'utf8');
	const lines = text.trimEnd().split('\n');
	expect(lines.length).toBeLessThan(80);
	const imported = [...text.matchAll(/ from '([^']+)';/g)].map(([, specifier = '']) => specifier);
	const ours = imported.filter(specifier => specifier.startsWith('regrant'));
	expect(ours.filter(specifier => !publicNames.includes(specifier))).toEqual([]);
	const near = imported.filter(specifier => specifier.startsWith('.'));
	expect(near.filter(specifier => !recipes.includes(specifier.replace('.', 'playground/recipes')))).toEqual([]);
	// A recipe may not declare what a user's framework or bundler declares. Only `self` is allowed: TypeScript needs it for the scope of a
	// service worker.
	expect(text.match(/^declare (?!const self: ServiceWorkerGlobalScope;).*/gm)).toBeNull();
	expect(text).not.toMatch(/vitest'|playwright|test\/support/);
	const [, command] = /^(?:\/\/ .*\n)*?\/\/ .*Run: npx vitest run (\S+)\n/.exec(text) ?? [];
	expect(globSync(command ?? '')).toEqual([command]);
});
