// The contents of the global `regrant` in a tab.
export * from '../../src/index.ts';
export {dpop} from '../../src/dpop.ts';
export {sha256} from '../../src/lib/sha256.ts';
export {indexedDbDriver} from '../../src/stores/indexed-db-driver.ts';
export {sharedStore} from '../../src/stores/shared/shared-store.ts';
export {indexedDbStore, webStorage} from '../../src/stores/web.ts';
export {webStorageDriver} from '../../src/stores/web-storage-driver.ts';
