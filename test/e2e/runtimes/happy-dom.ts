// happy-dom: a page inside Node, with the globals of a window.
import process from 'node:process';
import {Window} from 'happy-dom';
import {webStorage} from 'regrant/web';
import {run} from '../../shared/run.ts';

const window = new Window({url: 'http://page.example/'});
for (const name of [
	'document',
	'localStorage',
	'navigator',
	'location',
	'fetch',
	'Request',
	'Response',
	'Headers',
	'FormData',
	'Blob',
	'File',
	'AbortController',
	'AbortSignal',
	'DOMException',
	'StorageEvent',
]) {
	Object.defineProperty(globalThis, name, {value: Reflect.get(window, name), configurable: true, writable: true});
}
const stores = {webStorage: () => webStorage('session', () => localStorage)};
// It refuses a redirect to a URL with credentials by an error that nobody can catch.
const traits = {isPage: true, lacksStreams: true, failsAtCredentials: true};
const report = await run(`happy-dom ${process.argv[3]}`, JSON.parse(process.argv[2] ?? ''), traits, stores);
console.log(`REPORT ${JSON.stringify({...report, resolved: import.meta.resolve('regrant')})}`);
await window.happyDOM.close();
