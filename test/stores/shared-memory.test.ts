// Tests the specification of the stores with a simple model of a shared store.
import {createSharedMemory} from '../support/shared-memory.ts';
import {storeRunner} from '../support/store-runner.ts';
import {test} from '../support/test.ts';
import {tokenStoreSpec} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

tokenStoreSpec({...storeRunner('a model'), place: async () => createSharedMemory()});
