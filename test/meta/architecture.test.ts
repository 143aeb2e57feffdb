import {execFileSync} from 'node:child_process';
import {globSync, readFileSync} from 'node:fs';
import ts from 'typescript';
import {expect, test} from 'vitest';

/** What each folder of `src`, and each file beside the folders, may import. All may import `errors.ts` and `lib/`. */
const directions: Readonly<Record<string, readonly string[]>> = {
	// The core. The rows are in order: an import never leads to a row further up.
	'create-auth.ts': ['create-session.ts', 'auth.ts', 'fetch', 'session', 'stores', 'oauth', 'token'],
	'create-session.ts': ['auth.ts', 'fetch', 'session', 'stores', 'token'],
	'auth.ts': ['fetch', 'session', 'stores', 'token'],
	fetch: ['session', 'stores', 'token'],
	session: ['stores', 'token'],
	stores: ['token'],
	oauth: ['token'],
	token: [],
	endpoint: [],
	'errors.ts': [],
	lib: [],
	// Entry points of their own. The core does not import them.
	login: ['oauth', 'token'],
	'jwt.ts': ['jwt'],
	jwt: ['oauth', 'token'],
	'dpop.ts': ['dpop', 'jwt', 'token'],
	dpop: ['jwt', 'token'],
};

/** Packages of which only types are imported. */
const types = ['ky'];

/** The packages that may be imported, and the files that may import them. */
const packages: Readonly<Record<string, RegExp>> = {
	ky: /^(?:auth\.ts$|endpoint\/)/,
	valibot: /^oauth\//,
	dpop: /^dpop\.ts$|^dpop\//,
	'cloudflare:workers': /^stores\//,
	'node:fs/promises': /^stores\/(?:file|atomic-file)/,
	'node:os': /^stores\/file/,
	'node:path': /^stores\/(?:file|atomic-file)/,
	'node:url': /^stores\/file/,
};

/** The highest number of lines of code that a function may have. */
const longestFunction = 60;

const topLevel = [
	'CHANGELOG.md',
	'LICENSE',
	'README.md',
	'jsr.json',
	'package-lock.json',
	'package.json',
	'playground',
	'src',
	'test',
	'tsconfig.json',
	'vite.config.ts',
];

interface Import {
	readonly specifier: string;
	/** True if all the imported names are types. */
	readonly isType: boolean;
}

interface Source {
	/** The path below `src`. */
	readonly file: string;
	readonly text: string;
	/** The text without comments, and without what stands in quotes and patterns. */
	readonly code: string;
	readonly imports: readonly Import[];
}

const sources = globSync('**/*.ts', {cwd: 'src'})
	.toSorted()
	.map(file => readSource(file.replaceAll('\\', '/')));

function readSource(file: string): Source {
	const text = readFileSync(`src/${file}`, 'utf8');
	const bare = text.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*/gm, '');
	const imports = [...bare.matchAll(/^(?:import|export)\s+([^'";]*?\sfrom\s+)?'([^']+)';$/gm)].map(
		([, clause = '', specifier = '']) => ({specifier: resolve(file, specifier), isType: isTypeOnly(clause)}),
	);
	return {
		file,
		text,
		code: bare.replaceAll(/'(?:\\.|[^'\\\n])*'|`[^`]*`|(?<=[(,=[]\s?)\/(?![/*])(?:\\.|[^/\\\n])+\//g, "''"),
		imports,
	};
}

/** The path below `src` if the file is ours. Otherwise, the specifier as it stands. */
function resolve(file: string, specifier: string): string {
	return specifier.startsWith('.') ? new URL(specifier, `file:///${file}`).pathname.slice(1) : specifier;
}

function isTypeOnly(clause: string): boolean {
	if (clause.startsWith('type ')) return true;
	const names =
		/\{([^}]*)\}/
			.exec(clause)?.[1]
			?.split(',')
			.filter(name => name.trim() !== '') ?? [];
	return names.length > 0 && names.every(name => name.trim().startsWith('type '));
}

const isOurs = ({specifier}: Import): boolean => specifier.endsWith('.ts');

/** The folder of a file below `src`, or the file itself if it is in no folder. */
const placeOf = (file: string): string => file.split('/')[0] ?? file;

/** The lines that match a pattern, each with its file. */
function findAll(pattern: RegExp): string[] {
	return sources.flatMap(({file, code}) =>
		code.split('\n').flatMap(line => (pattern.test(line) ? [`${file}: ${line.trim()}`] : [])),
	);
}

test('a folder of src imports only from what stands to its right', () => {
	const wrong = sources.flatMap(({file, imports}) => {
		const place = placeOf(file);
		const allowed = [place, ...(directions[place] ?? []), 'errors.ts', 'lib'];
		const targets = imports.filter(isOurs).map(({specifier}) => specifier);
		return targets.filter(target => !allowed.includes(placeOf(target))).map(target => `${file} imports ${target}`);
	});
	expect(wrong.filter(line => !line.startsWith('index.ts '))).toEqual([]);
});

test('session/ and fetch/ do not import oauth/, endpoint/ imports nothing but errors.ts and lib/', () => {
	const targetsOf = (place: string): string[] => [
		...new Set(
			sources
				.filter(({file}) => placeOf(file) === place)
				.flatMap(({imports}) => imports.filter(isOurs).map(({specifier}) => placeOf(specifier))),
		),
	];
	for (const place of ['session', 'fetch', 'stores', 'token']) expect(targetsOf(place)).not.toContain('oauth');
	expect(targetsOf('endpoint').toSorted()).toEqual(['endpoint', 'errors.ts', 'lib']);
});

test('every file of src is in a folder that has its direction, or is named with it', () => {
	const places = [...new Set(sources.map(({file}) => placeOf(file)))];
	expect(places.filter(place => place !== 'index.ts' && !directions[place])).toEqual([]);
});

test('no two files import each other, and no imports go round in a circle, not even those of types', () => {
	const imported = new Map(sources.map(({file, imports}) => [file, new Set(imports.map(({specifier}) => specifier))]));
	const reach = (file: string, seen = new Set<string>()): Set<string> => {
		for (const target of imported.get(file) ?? []) if (!seen.has(target)) reach(target, seen.add(target));
		return seen;
	};
	const circles = sources.flatMap(({file}) => {
		const round = [...(imported.get(file) ?? [])].filter(target => target === file || reach(target).has(file));
		return round.length > 0 ? [`${file} imports ${round.join(' and ')}, and is imported by it in the end`] : [];
	});
	expect(circles).toEqual([]);
});

test('ky is imported for its types alone, and other packages where they are needed', () => {
	const foreign = sources.flatMap(({file, imports}) =>
		imports
			.filter(found => !isOurs(found) && !file.endsWith('.d.ts'))
			.filter(({specifier, isType}) => !packages[specifier]?.test(file) || (types.includes(specifier) && !isType))
			.map(({specifier}) => `${file} imports ${specifier}`),
	);
	expect(foreign).toEqual([]);
});

test('only files that build schemas import valibot', () => {
	const builders = sources.filter(({imports}) => imports.some(({specifier}) => specifier === 'valibot'));
	expect(builders.length).toBeGreaterThan(0);
	// Each such file holds a schema, or a function that creates one. Because of `isolatedDeclarations`, its type is written there.
	const others = builders.filter(({code}) => !/\w*Schema</.test(code));
	expect(others.map(({file}) => file)).toEqual([]);
});

test('no function of src is longer than a screen, the closure of a factory included', () => {
	const long = sources.flatMap(({file, text}) => {
		const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
		const found: string[] = [];
		const visit = (node: ts.Node): void => {
			if (ts.isFunctionLike(node) && 'body' in node && node.body) {
				// Only the body counts: type parameters are not code.
				const count = codeLines(node.body.getText());
				if (count > longestFunction) found.push(`${file}: ${nameOf(node)} has ${count} lines`);
			}
			ts.forEachChild(node, visit);
		};
		visit(tree);
		return found;
	});
	expect(long).toEqual([]);
});

/** The number of lines with code. Empty lines and lines of comments do not count. */
function codeLines(text: string): number {
	const bare = text.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*/gm, '');
	return bare.split('\n').filter(line => line.trim() !== '').length;
}

function nameOf(node: ts.Node): string {
	const {name} = (ts.isVariableDeclaration(node.parent) ? node.parent : node) as {readonly name?: ts.Node};
	return name?.getText() ?? 'a function';
}

test('every import is seen by these tests', () => {
	const counts = sources.map(({file, code, imports}) => [
		file,
		(code.match(/\bfrom\s*['"]|\bimport\s*(?:['"]|\()/g) ?? []).length - imports.length,
	]);
	expect(counts.filter(([, unseen]) => unseen !== 0)).toEqual([]);
});

test('nothing in src writes to the console, steals a lock or is of any type [R73, R97]', () => {
	expect(findAll(/\bconsole\b/)).toEqual([]);
	expect(findAll(/\bsteal\b/)).toEqual([]);
	expect(findAll(/\bany\b/)).toEqual([]);
	expect(findAll(/@ts-(?:ignore|expect-error|nocheck)/)).toEqual([]);
});

test('every exported symbol has a doc comment', () => {
	const bare = sources.flatMap(({file, text}) =>
		[...text.matchAll(/^export (?!\{|type \{|\*)(?:declare |abstract |async )*\w+ (\w+)/gm)]
			.filter(({index}) => !/\*\/\n(?:\/\/.*\n|\/\*.*\*\/\n)*$/.test(text.slice(0, index)))
			.map(([, name]) => `${file}: ${name}`),
	);
	expect(bare).toEqual([]);
});

test('the public surface is a list of re-exports', () => {
	const index = sources.find(({file}) => file === 'index.ts');
	expect(index?.code.replaceAll(/^export (?:type )?\{[^}]*\} from '';$/gm, '').trim()).toBe('');
});

test('the top level holds what it should and nothing else', () => {
	const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {encoding: 'utf8'});
	const entries = new Set(
		files
			.trim()
			.split('\n')
			.map(path => path.split('/')[0] ?? ''),
	);
	expect([...entries].filter(entry => !entry.startsWith('.')).toSorted()).toEqual(topLevel.toSorted());
});
