// The faults of servers, networks, clocks, stores and callers, one row each, with what regrant does about them. They run unchanged on
// every runtime. The words of the results are explained in world.ts: `first` always stands for what the login gave, and whatever a row
// does not mention did not happen. A case that a runtime cannot have says so (`except`). A fault that needs several tabs, processes or
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
