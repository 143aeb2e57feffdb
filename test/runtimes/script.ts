// Node, Deno and Bun: a script that is given the servers, and prints what became of each test.
import process from 'node:process';
import {denoKvStore} from 'regrant/deno-kv';
import {type Stores, run} from '../shared/run.ts';

interface Runtimes {
	readonly Deno?: {
		readonly version: {readonly deno: string};
		openKv(path: string): Promise<Parameters<typeof denoKvStore>[0]>;
	};
	readonly Bun?: {readonly version: string};
}

const {Deno, Bun} = globalThis as Runtimes; // each runtime has its own
const name = Deno ? `Deno ${Deno.version.deno}` : Bun ? `Bun ${Bun.version}` : `Node ${process.version.slice(1)}`;
const kv = await Deno?.openKv(':memory:');
const stores: Stores = kv ? {denoKvStore: () => denoKvStore(kv, 'session')} : {};
const report = await run(name, JSON.parse(process.argv[2] ?? ''), {}, stores);
console.log(`REPORT ${JSON.stringify(report)}`);
// Without a push: nothing that regrant leaves behind keeps a process alive. (What KV has open does.)
(kv as {close?: () => void} | undefined)?.close?.();
