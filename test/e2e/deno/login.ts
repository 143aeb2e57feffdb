// Run by Deno: writes the token of a login into a Deno KV.
import process from 'node:process';
import type {TokenSet} from '../../../src/index.ts';
import {denoKvDriver} from '../../../src/stores/deno-kv-driver.ts';

type Kv = Parameters<typeof denoKvDriver>[0] & {close(): void};

const {Deno} = globalThis as unknown as {readonly Deno: {openKv(path: string): Promise<Kv>}}; // only Deno runs this script
const [, , file = '', key = '', token = ''] = process.argv;
let kv: Kv | undefined;
while (!kv) kv = await Deno.openKv(file).catch(() => undefined);
await denoKvDriver(kv, key).set(JSON.parse(token) as TokenSet); // written by test/chaos/deno-kv.ts
kv.close();
