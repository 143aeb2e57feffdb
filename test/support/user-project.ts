import {execFile} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

/** A complaint of the compiler. */
export interface Complaint {
	readonly file: string;
	readonly line: number;
	readonly message: string;
}

/** A folder elsewhere, in which regrant, ky and valibot are installed as a user has them. */
export interface UserProject {
	/** Its folder. */
	readonly root: string;
	/** Writes a file, and gives its path. */
	write(name: string, text: string): string;
	/** Compiles all files that were written, under the strictest settings and these. */
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

/** Creates an empty project, in which regrant is what lies in a folder: by default, what is built here. */
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

/** Each with the lines below it, which say more. */
function readComplaints(output: string): Complaint[] {
	const complaints = output.split(/\n(?=\S)/).filter(text => text.trim() !== '');
	return complaints.map(text => {
		const [, file = '', line = '0', message = text] = /^(.+?)\((\d+),\d+\): ([^]*)$/.exec(text) ?? [];
		return {file, line: Number(line), message: message.trim()};
	});
}
