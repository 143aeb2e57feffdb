import {execFile} from 'node:child_process';
import {cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {build} from 'esbuild';

/** A folder elsewhere, with the package as npm would publish it, and the specification beside it. */
export interface PackedProject {
	readonly root: string;
	/** One file of a module and all that it imports, for what cannot find modules. */
	bundle(entry: string): Promise<string>;
	remove(): void;
}

const run = promisify(execFile);
const neighbours = ['ky', 'valibot', 'happy-dom'];

/** Packs the package as it is built, and unpacks it where it is used. */
export async function createPackedProject(): Promise<PackedProject> {
	const root = mkdtempSync(join(tmpdir(), 'regrant-packed-'));
	await run('npm', ['pack', '--silent', '--pack-destination', root]);
	const [tarball = ''] = globSync('*.tgz', {cwd: root});
	mkdirSync(join(root, 'node_modules'));
	await run('tar', ['-xzf', tarball, '-C', 'node_modules'], {cwd: root});
	// Every tarball of npm holds a folder of this name.
	symlinkSync('package', join(root, 'node_modules/regrant'), 'dir');
	for (const name of neighbours) symlinkSync(resolve('node_modules', name), join(root, 'node_modules', name), 'dir');
	for (const folder of ['shared', 'runtimes']) cpSync(`test/${folder}`, join(root, folder), {recursive: true});
	writeFileSync(join(root, 'package.json'), '{"type": "module"}');
	return {
		root,
		async bundle(entry) {
			const {outputFiles} = await build({
				entryPoints: [join(root, entry)],
				bundle: true,
				format: 'esm',
				target: 'es2022',
				write: false,
				external: ['cloudflare:*', 'node:*'],
				// Found where they are linked to.
				preserveSymlinks: true,
			});
			return outputFiles[0]?.text ?? '';
		},
		remove: () => rmSync(root, {recursive: true, force: true}),
	};
}
