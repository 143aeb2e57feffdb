import type {Page} from 'playwright';
import {startAuthorizationServer} from '../support/authorization-server.ts';
import {callFromTab, connectTab, signInTab} from '../support/tab-session.ts';
import {openTabs} from '../support/tabs.ts';
import {createLedger, excuses} from './ledger.ts';
import {count, type Counts} from './counts.ts';
import {createRandom} from './random.ts';
import {type Act, sumUp} from './result.ts';
import {brew} from './weather.ts';

const tabCount = 8;
const callers = 5;
/** The deadline of a token request, in milliseconds. */
const timeout = 3_000;

/** Eight tabs of Chromium with five callers each. Now and then, one tab is closed in the middle of its work, and a new one is opened. */
export const run: Act = async ({seconds, seed, isUnlocked = false, log = () => {}}) => {
	const random = createRandom(seed);
	const server = await startAuthorizationServer({accessTokenSeconds: 60});
	const tabs = await openTabs();
	const faults: Counts = {};
	const outcomes: Counts = {};
	const waits: number[] = [];
	/** When a tab was last closed. Infinity while one is being closed. */
	let closed = 0;
	/** The refresh token of the current login, as it was issued. */
	let login = '';
	const ledger = createLedger({
		timeout,
		// If a tab was closed after that use, it may have been the only one that knew the response.
		explain: ({at}) => (closed > at && !isUnlocked ? excuses.closed : undefined),
	});
	const weather = brew(server, {random, ledger, timeout, isFair: isUnlocked});
	const open = async (): Promise<Page> => {
		const tab = await tabs.open();
		await connectTab(tab, server, {hasLock: !isUnlocked, timeout});
		return tab;
	};
	try {
		const opened = await Promise.all(Array.from({length: tabCount}, open));
		const first = (): Page => opened[0] as Page; // there are eight tabs
		const logIn = async (): Promise<void> => {
			const minted = await server.mint();
			ledger.open(minted);
			login = minted.refresh_token;
			await signInTab(first(), minted);
		};
		await logIn();
		const began = performance.now();
		while (performance.now() < began + seconds * 1_000) {
			for (const [token, kind] of server.issued)
				if (kind === 'access token') await server.expire(token).catch(() => {});
			const asked = performance.now();
			const calls = opened.map(async tab => {
				const statuses = await callFromTab(tab, `${server.api}/me`, callers).catch(() => ['closed']);
				waits.push(performance.now() - asked);
				return statuses;
			});
			if (random() < 0.35 && !isUnlocked) {
				const [victim] = opened.splice(1 + Math.floor(random() * (opened.length - 1)), 1);
				closed = Infinity;
				await victim?.close();
				closed = Date.now();
				count(faults, 'tab closed');
				opened.push(await open());
			}
			for (const outcome of (await Promise.all(calls)).flat()) count(outcomes, outcome);
			if (ledger.fateOf(login) !== undefined) await logIn();
		}
		const elapsed = (performance.now() - began) / 1_000;
		ledger.unexcused.forEach(log);
		return sumUp({
			name: `web${isUnlocked ? ', no lock' : ', tabs closed, in bad weather'}`,
			holders: tabCount,
			callers,
			seed,
			seconds: elapsed,
			...ledger.account(),
			grants: server.tokenRequests.length,
			// These are the times of whole calls, because the test cannot measure inside a tab.
			waits,
			outcomes,
			faults: {...weather.faults, ...faults},
		});
	} finally {
		await tabs.close();
		await server.close();
	}
};
