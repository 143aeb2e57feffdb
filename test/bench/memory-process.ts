// Runs one scenario with one client. `measureMemory` starts this process for nothing else, so all of its memory belongs to that client.
import process from 'node:process';
import type {Footprint} from './memory.ts';
import {contenders, scenarios, type Task} from './memory-scenarios.ts';

const {scenario, contender, amount, origin} = JSON.parse(process.argv[2] ?? '') as Task; // written by `measureMemory`
const client = await contenders[contender](origin);
const start = performance.now();
const done = await scenarios[scenario](client, amount);
const milliseconds = performance.now() - start;
globalThis.gc?.();
globalThis.gc?.();
const footprint: Footprint = {
	done,
	milliseconds,
	settled: process.memoryUsage.rss() / 1e6,
	// `maxRSS` is in kibibytes on every platform.
	peak: (process.resourceUsage().maxRSS * 1024) / 1e6,
};
process.stdout.write(JSON.stringify(footprint));
process.exit();
