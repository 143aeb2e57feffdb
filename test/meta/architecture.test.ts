import {execFileSync} from 'node:child_process';
import {globSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';

/**
The floor plan: a file imports only from floors above its own in this list, which is the direction in which data flows:
words, checked messages, one exchange, one session, the wrapper, the hook. A new file goes to the first floor on which it can be.
*/
const floors: ReadonlyArray<readonly string[]> = [
	// Words.
	['field.ts', 'own.ts', 'random-id.ts', 'secure-url.ts'],
	[
		'challenge.ts',
		'client-authentication.ts',
		'client-fields.ts',
		'errors.ts',
		'redirect.ts',
		'runtime.ts',
		'validate.ts',
	],
	// Checked messages.
	[
		'answer.ts',
		'deadline.ts',
		'lease.ts',
		'path-template.ts',
		'revocation-request.ts',
		'session-events.ts',
		'standard-schema.ts',
		'token-request.ts',
		'token-response.ts',
	],
	['endpoint-definition.ts', 'record-text.ts', 'refusal.ts', 'token-store.ts'],
	['cool-down.ts', 'endpoint-inference.ts', 'endpoint-request.ts', 'endpoint-response.ts'],
	// The request builder, which knows no session.
	['endpoint.ts'],
	// Where a token lives.
	['stores/deno-kv.ts', 'stores/redis.ts', 'stores/token-vault.ts', 'stores/write-mark.ts'],
	['stores/cloudflare.ts', 'stores/web.ts'],
	['options.ts'],
	['flight.ts', 'prepared-request.ts', 'store-lock.ts', 'turns.ts'],
	// One exchange.
	['session-record.ts', 'token-endpoint.ts'],
	// One session.
	['renewal.ts'],
	['session.ts'],
	// The wrapper.
	['authorized-fetch.ts'],
	// The hook.
	['auth.ts'],
	['index.ts'],
];

/** The only files that may import these packages, and whether for their types alone. */
const packages: Readonly<Record<string, {readonly files: readonly string[]; readonly asType?: true}>> = {
	ky: {files: ['auth.ts', 'endpoint.ts', 'endpoint-request.ts', 'endpoint-response.ts'], asType: true},
	valibot: {files: ['client-fields.ts', 'field.ts', 'revocation-request.ts', 'token-request.ts', 'token-response.ts']},
};

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
	/** Not one of its names is a value. */
	readonly isType: boolean;
}

interface Source {
	/** Below `src`. */
	readonly file: string;
	readonly text: string;
	/** The text less comments, and less what quotes and patterns hold. */
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

/** The path below `src` of one of our files, or the specifier of anything else. */
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

/** For each file the first floor on which it can be, or undefined where it takes part in a cycle. */
function lowestFloors(): Map<string, number> {
	const lowest = new Map<string, number>();
	for (let floor = 0; floor <= sources.length; floor++) {
		const ready = sources.filter(
			({file, imports}) =>
				!lowest.has(file) && imports.filter(isOurs).every(({specifier}) => (lowest.get(specifier) ?? floor) < floor),
		);
		for (const {file} of ready) lowest.set(file, floor);
	}
	return lowest;
}

/** The lines, each with its file, in which a pattern is found. */
function findAll(pattern: RegExp): string[] {
	return sources.flatMap(({file, code}) =>
		code.split('\n').flatMap(line => (pattern.test(line) ? [`${file}: ${line.trim()}`] : [])),
	);
}

const lowest = lowestFloors();

/** What to do about a file that is on no floor, or on a wrong one. */
function remedyFor(file: string): string {
	const floor = lowest.get(file);
	return floor === undefined
		? 'it is part of a circle, or above one'
		: `the first floor on which it can be is ${floor}, counted from 0`;
}

test('every file of src has its floor, and every floor its files', () => {
	const files = sources.map(({file}) => file);
	const listed = floors.flat();
	const homeless = files.filter(file => !listed.includes(file));
	expect(homeless.map(file => `${file} is on no floor: ${remedyFor(file)}`)).toEqual([]);
	expect(listed.filter((file, index) => !files.includes(file) || listed.indexOf(file) !== index)).toEqual([]);
});

test('no file imports from its own floor or from one above it', () => {
	const floorOf = new Map(floors.flatMap((files, floor) => files.map(file => [file, floor])));
	const faults = sources.flatMap(({file, imports}) =>
		imports
			.filter(isOurs)
			.filter(({specifier}) => (floorOf.get(specifier) ?? -1) >= (floorOf.get(file) ?? Infinity))
			.map(
				({specifier}) =>
					`${file} (floor ${floorOf.get(file)}) imports ${specifier} (floor ${floorOf.get(specifier)}): ${remedyFor(file)}`,
			),
	);
	expect(faults).toEqual([]);
});

test('no imports go round in a circle, not even those of types', () => {
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

test('ky is imported for its types alone, and valibot only where schemas are built', () => {
	const imported = sources.flatMap(({file, imports}) =>
		imports.filter(found => !isOurs(found)).map(({specifier, isType}) => ({file, specifier, isType})),
	);
	const foreign = imported.filter(({file, specifier, isType}) => {
		const allowed = packages[specifier];
		return !allowed?.files.includes(file) || (allowed.asType === true && !isType);
	});
	expect(foreign).toEqual([]);
});

test('every import is seen by these tests', () => {
	const counts = sources.map(({file, code, imports}) => [
		file,
		(code.match(/\bfrom\s*['"]|\bimport\s*(?:['"]|\()/g) ?? []).length - imports.length,
	]);
	expect(counts.filter(([, unseen]) => unseen !== 0)).toEqual([]);
});

test('R73, R97: nothing in src writes to the console, steals a lock or is of any type', () => {
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
