// What a tab has as the global `regrant`.
export * from '../../src/index.ts';
export {webStorage} from '../../src/stores/web.ts';
