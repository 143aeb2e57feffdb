import {readFileSync} from 'node:fs';
import process from 'node:process';

/** Returns the versions of these packages, of regrant and of Node. */
export function readVersions(packages: readonly string[]): Record<string, string> {
	const read = (name: string): string => {
		const folder = name === 'regrant' ? '../..' : `../../node_modules/${name}`;
		const url = new URL(`${folder}/package.json`, import.meta.url);
		return (JSON.parse(readFileSync(url, 'utf8')) as {readonly version: string}).version; // every package.json has a version
	};
	return {node: process.version, ...Object.fromEntries(packages.map(name => [name, read(name)]))};
}
