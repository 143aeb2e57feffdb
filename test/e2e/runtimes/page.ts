// The page for browsers: it asks where the servers are, and posts the outcome of each test.
import {indexedDbStore, webStorage} from 'regrant/web';
import {run} from '../../shared/run.ts';

const names: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
	['Firefox', /Firefox\/([\d.]+)/],
	['Chromium', /Chrome\/([\d.]+)/],
	['WebKit', /AppleWebKit\/([\d.]+)/],
];
const [name = 'a browser', version = ''] =
	names.map(([name, pattern]) => [name, pattern.exec(navigator.userAgent)?.[1]]).find(([, version]) => version) ?? [];
// Chromium sends streams only over HTTP/2. Firefox sends the text that `String` makes of a stream, and WebKit sends none. WebKit also
// rejects aborted calls without the reason of the signal.
// Firefox 153 drops `Authorization` at a redirect to another origin, and adds it again at the next redirect there.
const traits = {
	isPage: true,
	hidesHeaders: true,
	lacksStreams: true,
	losesReasons: name === 'WebKit',
	restoresAuthorization: name === 'Firefox',
};
const stores = {
	indexedDbStore: () => indexedDbStore('session'),
	webStorage: () => webStorage('session', sessionStorage),
};
const facts = await (await fetch('/facts')).json();
const report = await run(`${name} ${version}`, facts, traits, stores);
await fetch('/report', {method: 'POST', body: JSON.stringify(report)});
document.title = 'done';
