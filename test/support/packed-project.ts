import {execFile} from 'node:child_process';
import {cpSync, globSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {build} from 'esbuild';

/** A temporary folder with the package as npm would publish it, and with the shared specifications. */
export interface PackedProject {
	readonly root: string;
	/** The folder of the unpacked package. */
	readonly regrant: string;
	/** Bundles a module with everything that it imports, for runtimes that cannot resolve modules. */
	bundle(entry: string): Promise<string>;
	/** The files that are part of a bundle, relative to the root. */
	readonly bundled: ReadonlySet<string>;
	remove(): void;
}

const run = promisify(execFile);
const neighbours = ['ky', 'valibot', 'happy-dom', 'redis'];

/** Packs the built package, and unpacks it into a temporary folder. */
export async function createPackedProject(): Promise<PackedProject> {
	const root = realpathSync(mkdtempSync(join(tmpdir(), 'regrant-packed-')));
	await run('npm', ['pack', '--silent', '--pack-destination', root]);
	const [tarball = ''] = globSync('*.tgz', {cwd: root});
	const regrant = join(root, 'node_modules/regrant');
	mkdirSync(regrant, {recursive: true});
	// Every npm tarball contains a single folder.
	await run('tar', ['-xzf', tarball, '-C', regrant, '--strip-components=1'], {cwd: root});
	for (const name of neighbours) symlinkSync(resolve('node_modules', name), join(root, 'node_modules', name), 'dir');
	for (const folder of ['shared', 'faults', 'e2e/runtimes'])
		cpSync(`test/${folder}`, join(root, folder), {recursive: true});
	writeFileSync(join(root, 'package.json'), '{"type": "module"}');
	const bundled = new Set<string>();
	return {
		root,
		regrant,
		bundled,
		async bundle(entry) {
			const {outputFiles, metafile} = await build({
				absWorkingDir: root,
				entryPoints: [entry],
				metafile: true,
				bundle: true,
				format: 'esm',
				target: 'es2022',
				write: false,
				external: ['cloudflare:*', 'node:*'],
				// Resolves imports from where a link is, and not from its target.
				preserveSymlinks: true,
			});
			Object.keys(metafile.inputs).forEach(file => bundled.add(file));
			return outputFiles[0]?.text ?? '';
		},
		remove: () => rmSync(root, {recursive: true, force: true}),
	};
}
