import {readdirSync, readFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect} from 'vitest';
import {createGate, expired} from '../../support/scenario.ts';
import {once} from '../../support/stage.ts';
import {connectTab, heardByTab, signInTab, type TabGlobal} from '../../support/tab-session.ts';
import {openTabs, type Tabs} from '../../support/tabs.ts';
import {test} from '../../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** The deadline of a token request, in milliseconds. */
const timeout = 2_000;
const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds));

let tabs: Tabs;
beforeAll(async () => {
	tabs = await openTabs();
});
afterAll(() => tabs.close());

/** Returns the ids of the browser's processes: the one that this test has started, and those that it has started for pages and network. */
function browserProcesses(): number[] {
	const parents = new Map<number, number>();
	for (const entry of readdirSync('/proc')) {
		try {
			// The name may contain spaces, so the fields are counted after its closing parenthesis.
			const [, parent] = readFileSync(`/proc/${entry}/stat`, 'utf8')
				.replace(/^.*\) /s, '')
				.split(' ');
			if (/^\d+$/.test(entry)) parents.set(Number(entry), Number(parent));
		} catch {
			// The process has ended meanwhile.
		}
	}
	const isOurs = (pid: number): boolean => {
		const parent = parents.get(pid);
		return parent !== undefined && (parent === process.pid || isOurs(parent));
	};
	const isBrowser = (pid: number): boolean => {
		try {
			return /chrom/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
		} catch {
			// The process has ended meanwhile.
			return false;
		}
	};
	return [...parents.keys()].filter(pid => isOurs(pid) && isBrowser(pid));
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
	for (const pid of pids) {
		try {
			process.kill(pid, signal);
		} catch {
			// The process has ended meanwhile.
		}
	}
}

type Stop = (tab: Awaited<ReturnType<Tabs['open']>>) => Promise<() => Promise<void>>;

/** Ways to stop a page. Each returns a function that lets the page continue. */
const stops: ReadonlyArray<readonly [title: string, stop: Stop]> = [
	[
		'its page is frozen',
		async tab => {
			const devTools = await tabs.context.newCDPSession(tab);
			await devTools.send('Page.setWebLifecycleState', {state: 'frozen'});
			return async () => void (await devTools.send('Page.setWebLifecycleState', {state: 'active'}));
		},
	],
	[
		'all processes of the browser are stopped',
		async () => {
			const pids = browserProcesses();
			expect(pids.length).toBeGreaterThan(2);
			signalAll(pids, 'SIGSTOP');
			return async () => signalAll(pids, 'SIGCONT');
		},
	],
];

describe('Chromium', () => {
	test.for(stops.flatMap(([title, stop]) => [2_150, 6_000].map(length => [title, length, stop] as const)))(
		'Chromium reads the answer to a refresh that came while %s for %i ms, and the session goes on [F-138]',
		async ([, length, stop], {server}) => {
			const tab = await tabs.open();
			const name = `stopped ${Math.random()}`;
			await connectTab(tab, server, {name, timeout});
			await signInTab(tab, {...(await server.mint()), ...expired});
			const gate = createGate();
			server.onTokenAnswer(once(gate.pass));
			await tab.evaluate(() => {
				const tabGlobal = globalThis as unknown as TabGlobal & {outcome: Promise<string>};
				tabGlobal.outcome = tabGlobal.auth.refresh().then(() => 'renewed', String);
			});
			await gate.reached;
			const resume = await stop(tab);
			try {
				await pause(50);
				// The server has rotated the refresh token. Its response waits in the socket.
				gate.open();
				await pause(length);
			} finally {
				await resume();
			}
			const outcome = await tab.evaluate(() => (globalThis as unknown as {outcome: Promise<string>}).outcome);
			expect(outcome).toBe('renewed');
			await tab.evaluate(async () => void (await (globalThis as unknown as TabGlobal).auth.refresh()));
			expect(await heardByTab(tab)).toEqual(['token set', 'token refresh', 'token refresh']);
			expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
		},
	);
});
