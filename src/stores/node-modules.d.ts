// The part of Node's modules that is used here, so that the sources need no types of Node. Deno and Bun have the same modules.
declare module 'node:fs/promises' {
	interface FileHandle {
		writeFile(text: string): Promise<void>;
		sync(): Promise<void>;
		close(): Promise<void>;
	}
	export function mkdir(path: string, options: {recursive: true; mode: number}): Promise<unknown>;
	export function open(path: string, flags: string, mode?: number): Promise<FileHandle>;
	export function readdir(path: string): Promise<string[]>;
	export function readFile(path: string, encoding: 'utf8'): Promise<string>;
	export function readlink(path: string): Promise<string>;
	export function realpath(path: string): Promise<string>;
	export function rename(from: string, to: string): Promise<void>;
	export function rm(path: string, options: {recursive: true; force: true}): Promise<void>;
	export function rmdir(path: string): Promise<void>;
}

declare module 'node:path' {
	export function dirname(path: string): string;
	export function resolve(...paths: string[]): string;
}

declare module 'node:url' {
	export function fileURLToPath(url: string): string;
}
