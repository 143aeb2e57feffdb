import {readFileSync} from 'node:fs';
import process from 'node:process';

/** The version of each installed package, of this one, and of Node. */
export function readVersions(packages: readonly string[]): Record<string, string> {
	const read = (name: string): string => {
		const folder = name === 'regrant' ? '../..' : `../../node_modules/${name}`;
		const url = new URL(`${folder}/package.json`, import.meta.url);
		return (JSON.parse(readFileSync(url, 'utf8')) as {readonly version: string}).version; // every package has one
	};
	return {node: process.version, ...Object.fromEntries(packages.map(name => [name, read(name)]))};
}
