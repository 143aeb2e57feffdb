import {execFile} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

/** An error of the compiler. */
export interface Complaint {
	readonly file: string;
	readonly line: number;
	readonly message: string;
}

/** A temporary project in which regrant, ky and valibot are installed as a user would install them. */
export interface UserProject {
	/** The path of the project. */
	readonly root: string;
	/** Writes a file. Returns its path. */
	write(name: string, text: string): string;
	/** Compiles all written files with the strictest settings and these options. */
	compile(compilerOptions: Readonly<Record<string, unknown>>): Promise<Complaint[]>;
	remove(): void;
}

const strictest = {
	target: 'es2022',
	strict: true,
	exactOptionalPropertyTypes: true,
	noUncheckedIndexedAccess: true,
	verbatimModuleSyntax: true,
	skipLibCheck: false,
	noEmit: true,
	types: [],
};

const neighbours = {
	ky: 'node_modules/ky',
	valibot: 'node_modules/valibot',
	'@types': 'node_modules/@types',
};

/** Creates an empty project. Its regrant is the package in this folder: by default, the one that was built here. */
export function createUserProject(regrant = '.'): UserProject {
	const root = mkdtempSync(join(tmpdir(), 'regrant-user-'));
	const write = (name: string, text: string): string => {
		const path = join(root, name);
		writeFileSync(path, text);
		return path;
	};
	mkdirSync(join(root, 'node_modules'));
	for (const [name, target] of Object.entries({regrant, ...neighbours})) {
		symlinkSync(resolve(target), join(root, 'node_modules', name), 'dir');
	}
	write('package.json', '{"type": "module"}');
	return {
		root,
		write,
		async compile(compilerOptions) {
			write('tsconfig.json', JSON.stringify({compilerOptions: {...strictest, ...compilerOptions}, include: ['*.ts']}));
			return readComplaints(await runCompiler(root));
		},
		remove: () => rmSync(root, {recursive: true, force: true}),
	};
}

function runCompiler(project: string): Promise<string> {
	const args = [resolve('node_modules/@typescript/native/bin/tsc'), '--pretty', 'false', '--project', project];
	return new Promise((resolve, reject) => {
		execFile(process.execPath, args, {cwd: project}, (error, output, problems) => {
			if (error && output === '') reject(new Error(`tsc did not run: ${problems}`));
			else resolve(output);
		});
	});
}

/** Reads the compiler's errors, each with its indented lines of detail. */
function readComplaints(output: string): Complaint[] {
	const complaints = output.split(/\n(?=\S)/).filter(text => text.trim() !== '');
	return complaints.map(text => {
		const [, file = '', line = '0', message = text] = /^(.+?)\((\d+),\d+\): ([^]*)$/.exec(text) ?? [];
		return {file, line: Number(line), message: message.trim()};
	});
}
