import {execFileSync} from 'node:child_process';
import {globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import jsr from '../../jsr.json' with {type: 'json'};
import manifest from '../../package.json' with {type: 'json'};
import {bundle, ownRows} from '../bench/sizes.ts';

const workplace = mkdtempSync(join(tmpdir(), 'regrant-package-'));
const user = join(workplace, 'user');
const installed = join(user, 'node_modules/regrant');

const sources: Readonly<Record<string, string>> = jsr.exports;
const entries = Object.keys(manifest.exports).filter(entry => entry !== './package.json');

beforeAll(() => {
	execFileSync('npm', ['pack', '--silent', '--pack-destination', workplace]);
	const [tarball = ''] = globSync('*.tgz', {cwd: workplace});
	mkdirSync(user);
	writeFileSync(join(user, 'package.json'), '{"type": "module"}');
	const quietly = ['--silent', '--prefer-offline', '--no-audit', '--no-fund'];
	execFileSync('npm', ['install', ...quietly, join(workplace, tarball)], {cwd: user});
}, 180_000);

afterAll(() => rmSync(workplace, {recursive: true, force: true}));

/** Runs a module in the folder where the package is installed. Returns what the module prints as JSON. */
function runAsUser(code: string): unknown {
	const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {cwd: user, encoding: 'utf8'});
	return JSON.parse(output);
}

const read = (file: string): string => readFileSync(file, 'utf8');

/** The files that Vite and tsc build from a source file. A file of types has no JavaScript, and a list of re-exports has no source map. */
function builtFiles(file: string): string[] {
	// Only our own compiler reads these declarations.
	if (file.endsWith('.d.ts')) return [];
	const text = read(`src/${file}`);
	const name = `dist/${file.replace(/\.ts$/, '')}`;
	const hasValues = /^export (?:async )?(?:const|function|class) /m.test(text);
	const hasReexports = /^export \{/m.test(text);
	return [
		`${name}.d.ts`,
		`${name}.d.ts.map`,
		...(hasValues || hasReexports ? [`${name}.js`] : []),
		...(hasValues ? [`${name}.js.map`] : []),
	];
}

/** The values that a module exports: its own, and those that it re-exports by name. */
function exportedNames(file: string): string[] {
	const lists = read(file).matchAll(/^export \{([^}]*)\} from/gm);
	const own = read(file).matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm);
	// A Set, because an example in a comment may export the same name.
	const names = new Set([...lists].flatMap(([, list = '']) => list.match(/\w+/g) ?? []));
	for (const [, name = ''] of own) names.add(name);
	return [...names].toSorted();
}

describe('the package', () => {
	test('the package has the built files, the sources that their maps name, and three pages', () => {
		const files = globSync('**/*.ts', {cwd: 'src'});
		expect(globSync('**/*', {cwd: installed, withFileTypes: true}).flatMap(toPath).toSorted()).toEqual(
			[
				'CHANGELOG.md',
				'LICENSE',
				'README.md',
				'package.json',
				...files.map(file => `src/${file}`),
				...files.flatMap(builtFiles),
			].toSorted(),
		);
	});

	test('the package has every source that a map names', () => {
		const maps = globSync('**/*.map', {cwd: installed});
		const missing = maps.flatMap(map => {
			const {sources} = JSON.parse(read(join(installed, map))) as {readonly sources: readonly string[]};
			return sources
				.filter(source => !globSync(join(installed, map, '..', source)).length)
				.map(source => [map, source]);
		});
		expect(maps).not.toEqual([]);
		expect(missing).toEqual([]);
	});

	test('the package brings ky and valibot along and nothing else', () => {
		expect(readdirSync(join(user, 'node_modules')).filter(name => !name.startsWith('.'))).toEqual([
			'ky',
			'regrant',
			'valibot',
		]);
		expect(Object.keys(manifest.dependencies)).toEqual(['valibot']);
		expect(manifest.peerDependencies).toEqual({ky: '^2'});
	});

	test('the package has a store for each of these places, and none for Workers KV [R80]', () => {
		const stores = entries.filter(entry => sources[entry]?.includes('/stores/'));
		expect(stores).toEqual(['./web', './cloudflare', './redis', './deno-kv', './file']);
	});

	test.for(entries)('the package gives an importer of %s what the source lists', entry => {
		const specifier = JSON.stringify(`regrant${entry.slice(1)}`);
		const names = runAsUser(`console.log(JSON.stringify(Object.keys(await import(${specifier}))))`);
		const expected = exportedNames(sources[entry] ?? '');
		expect(expected).not.toEqual([]);
		expect(names).toEqual(expected);
	});

	test('the package shows its package.json, and no file that is not an entry', () => {
		const version = "(await import('regrant/package.json', {with: {type: 'json'}})).default.version";
		expect(runAsUser(`console.log(JSON.stringify(${version}))`)).toBe(manifest.version);
		const code = "import('regrant/dist/session.js').catch(({code}) => code)";
		expect(runAsUser(`console.log(JSON.stringify(await ${code}))`)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
	});

	test('the package is the same on npm and on JSR', () => {
		expect(Object.keys(sources)).toEqual(entries);
		expect({version: jsr.version, license: jsr.license}).toEqual({
			version: manifest.version,
			license: manifest.license,
		});
		for (const [entry, {types, default: file}] of Object.entries(manifest.exports).flatMap(toConditions)) {
			const name = sources[entry]?.replace(/^\.\/src\/(.*)\.ts$/, './dist/$1');
			expect([entry, types, file]).toEqual([entry, `${name}.d.ts`, `${name}.js`]);
		}
	});

	test('the package names types first in every entry, since the first condition that fits counts', () => {
		for (const [, conditions] of Object.entries(manifest.exports).flatMap(toConditions)) {
			expect(Object.keys(conditions)).toEqual(['types', 'default']);
		}
	});
});

type Conditions = {readonly types: string; readonly default: string};

function toConditions([entry, target]: [string, string | Conditions]): [string, Conditions][] {
	return typeof target === 'string' ? [] : [[entry, target]];
}

function toPath(entry: {isFile(): boolean; readonly parentPath: string; readonly name: string}): string[] {
	return entry.isFile()
		? [
				join(entry.parentPath, entry.name)
					.slice(installed.length + 1)
					.replaceAll('\\', '/'),
			]
		: [];
}

describe('a bundle', () => {
	test.for(ownRows)('a bundle of $name is no bigger than promised', async ({limit = 0, without, ...row}) => {
		const {bytes, text} = await bundle(row);
		expect(bytes).toBeLessThanOrEqual(limit);
		expect(without.filter(part => text.includes(part))).toEqual([]);
	});

	test('a bundle has a limit for each entry', () => {
		const measured = ownRows.flatMap(({code}) => [...code.matchAll(/from '(regrant[^']*)'/g)].map(([, name]) => name));
		expect(new Set(measured)).toEqual(new Set(entries.map(entry => `regrant${entry.slice(1)}`)));
	});

	test.for(entries)('the bundle of an unused import of %s is empty', async entry => {
		const {text} = await bundle({code: `import 'regrant${entry.slice(1)}';`, external: ['node:*']});
		// A bundler cannot know that importing a module of Node has no effect.
		expect(text.replaceAll(/import"node:[\w/]+";\n?/g, '').trim()).toBe('');
	});

	test('the words that bundles must not have are in the package', () => {
		const built = globSync('**/*.js', {cwd: join(installed, 'dist')}).map(file => read(join(installed, 'dist', file)));
		const words = new Set(ownRows.flatMap(({without}) => without));
		// These words come from valibot, and are not in the package.
		const others = ['picklist', 'unrecognized_keys', 'variant'];
		expect([...words].filter(word => !others.includes(word) && !built.some(text => text.includes(word)))).toEqual([]);
	});
});
