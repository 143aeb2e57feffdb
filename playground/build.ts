// Builds the page as a single-page application would ship it. `npm run build:page` prints the size of each part of the page, and fails if
// one has grown beyond its limit.
import {gzipSync} from 'node:zlib';
import {build, type Rolldown} from 'vite';
import {partsOfPage} from './parts-of-page.ts';

/** The parts of the page, and the most bytes of each, minified and compressed. */
export const limits = {ky: 8_800, valibot: 1_700, regrant: 18_800, page: 18_500} as const;

/** The name of a part. */
export type Part = keyof typeof limits;

/** The built page. */
export interface BuiltPage {
	/** The files by their paths. */
	readonly files: ReadonlyMap<string, string>;
	/** The bytes of each part, minified and compressed. */
	readonly sizes: Readonly<Record<Part, number>>;
}

/** The package that a module belongs to. A module of no package is the page's own. */
const groups = [
	{name: 'ky', test: /\/node_modules\/ky\//},
	{name: 'valibot', test: /\/node_modules\/valibot\//},
	{name: 'regrant', test: /\/dist\//},
];

const root = `${import.meta.dirname}/page`;

/** Builds the page, in memory. */
export async function buildPage(): Promise<BuiltPage> {
	const built = await build({
		configFile: false,
		root,
		logLevel: 'warn',
		plugins: [partsOfPage()],
		build: {
			write: false,
			target: 'es2022',
			modulePreload: {polyfill: false},
			rolldownOptions: {
				input: [`${root}/index.html`, `${root}/other-tab.html`],
				output: {codeSplitting: {groups}},
			},
		},
	});
	const {output} = built as Rolldown.RolldownOutput; // without watch mode, one build gives one output
	const files = new Map<string, string>();
	const sizes: Record<Part, number> = {ky: 0, valibot: 0, regrant: 0, page: 0};
	for (const file of output) {
		const text = file.type === 'chunk' ? file.code : file.source.toString();
		const {name} = groups.find(group => group.name === file.name) ?? {name: 'page'};
		files.set(`/${file.fileName}`, text);
		sizes[name as Part] += gzipSync(text, {level: 9}).length; // the groups have the names of the parts
	}
	return {files, sizes};
}

/** The sizes as lines, and a sentence about each part that has grown too large. */
export function judge(sizes: BuiltPage['sizes']): {readonly lines: string[]; readonly faults: string[]} {
	const parts = Object.keys(limits) as Part[];
	const whole = parts.reduce((sum, part) => sum + sizes[part], 0);
	const lineOf = (name: string, bytes: number): string =>
		`${name.padEnd(8)}${(bytes / 1000).toFixed(1).padStart(6)} kB`;
	return {
		lines: [...parts.map(part => lineOf(part, sizes[part])), lineOf('together', whole)],
		faults: parts
			.filter(part => sizes[part] > limits[part])
			.map(part => `${part} has grown to ${sizes[part]} bytes, where ${limits[part]} are allowed.`),
	};
}

if (import.meta.main) {
	const {lines, faults} = judge((await buildPage()).sizes);
	for (const line of [...lines, ...faults]) console.log(line);
	if (faults.length > 0) process.exitCode = 1;
}
