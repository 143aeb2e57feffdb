// Node, Deno and Bun run this script: its argument says where the servers are, and it prints the outcome of each test.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {inspect} from 'node:util';
import {createClient} from 'redis';
import {denoKvStore} from 'regrant/deno-kv';
import {fileStore} from 'regrant/file';
import {redisStore} from 'regrant/redis';
import {type Stores, run} from '../../shared/run.ts';

interface Runtimes {
	readonly Deno?: {
		readonly version: {readonly deno: string};
		inspect(value: unknown, options: {readonly depth: number}): string;
		openKv(path: string): Promise<Parameters<typeof denoKvStore>[0]>;
	};
	readonly Bun?: {readonly version: string; inspect(value: unknown): string};
}

const {Deno, Bun} = globalThis as Runtimes; // each runtime has its own global
const name = Deno ? `Deno ${Deno.version.deno}` : Bun ? `Bun ${Bun.version}` : `Node ${process.version.slice(1)}`;
const kv = await Deno?.openKv(':memory:');
const redis = createClient({url: process.argv[4] ?? ''});
await redis.connect();
const folder = mkdtempSync(join(tmpdir(), 'regrant-file-'));
const stores: Stores = {
	fileStore: () => fileStore(join(folder, 'session.json')),
	redisStore: () => redisStore(redis, 'session'),
	...(kv && {denoKvStore: () => denoKvStore(kv, 'session')}),
};
// `console.log` prints like the last two.
const traits = {
	inspect: (value: unknown) =>
		[inspect(value, {depth: 9, showHidden: true}), Deno?.inspect(value, {depth: 9}), Bun?.inspect(value)].join('\n'),
};
const report = await run(name, JSON.parse(process.argv[2] ?? ''), traits, stores);
console.log(`REPORT ${JSON.stringify({...report, resolved: import.meta.resolve('regrant')})}`);
// The process must now end without `process.exit`, so nothing that regrant leaves behind may keep it alive. Only the clients of the stores
// have to be closed.
rmSync(folder, {recursive: true, force: true});
redis.destroy();
(kv as {close?: () => void} | undefined)?.close?.();
