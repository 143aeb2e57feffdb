// The catalogue of faults: of servers, networks, clocks, stores and callers, one row each, with the required reaction of regrant. The cases
// run unchanged on every runtime. world.ts explains the words of the results: `first` always means what the login gave, and whatever a row
// does not mention must not happen. If a case is impossible in a runtime, it says so (`except`). A fault that needs several tabs, processes
// or isolates names the test that covers it.
// isolates names the test that has it.
import {apiFaults} from './api.ts';
import type {Fault} from './case.ts';
import {clockFaults} from './clocks.ts';
import {contentFaults} from './content.ts';
import {contractFaults} from './contract.ts';
import {holderFaults} from './holders.ts';
import {secretFaults} from './secrets.ts';
import {storeFaults} from './stores.ts';
import {transportFaults} from './transport.ts';

export const faults: readonly Fault[] = [
	...transportFaults,
	...contentFaults,
	...apiFaults,
	...clockFaults,
	...storeFaults,
	...holderFaults,
	...secretFaults,
	...contractFaults,
];
