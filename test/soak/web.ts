import type {Page} from 'playwright';
import {startAuthorizationServer} from '../support/authorization-server.ts';
import {callFromTab, connectTab, signInTab} from '../support/tab-session.ts';
import {openTabs} from '../support/tabs.ts';
import {createRandom} from './crowd.ts';
import type {Soak} from './result.ts';

const tabCount = 8;
const callers = 5;

/** Eight tabs of a Chromium with five callers each. Now and then one is closed in the middle, and another opened. */
export const run: Soak = async ({seconds, seed, isUnlocked = false, log = () => {}}) => {
	const random = createRandom(seed);
	const server = await startAuthorizationServer({accessTokenSeconds: 60});
	const tabs = await openTabs();
	const used = new Map<string, number>();
	const why: Record<string, number> = {};
	const outcomes: Record<string, number> = {};
	const waits: number[] = [];
	let [expiries, sessionsLost, closed] = [0, 0, 0];
	let isLost = false;
	server.onToken(({parameters}) => {
		const token = parameters.get('refresh_token') ?? '';
		const since = used.get(token);
		used.set(token, since ?? closed);
		if (since === undefined || isLost) return undefined;
		isLost = true;
		// A tab that was closed since may have been the one that knew the answer.
		const reason =
			since < closed && !isUnlocked
				? 'a tab was closed between the rotation and its write'
				: 'a refresh token was sent twice';
		why[reason] = (why[reason] ?? 0) + 1;
		if (reason === 'a refresh token was sent twice') sessionsLost++;
		log(`lost: ${reason}`);
		return undefined;
	});
	const open = async (): Promise<Page> => {
		const tab = await tabs.open();
		await connectTab(tab, server, {hasLock: !isUnlocked});
		return tab;
	};
	try {
		const opened = await Promise.all(Array.from({length: tabCount}, open));
		const first = (): Page => opened[0] as Page; // there are eight
		const login = async (): Promise<void> => {
			isLost = false;
			await signInTab(first(), await server.mint());
		};
		await login();
		const began = performance.now();
		while (performance.now() < began + seconds * 1_000) {
			for (const [token, kind] of server.issued)
				if (kind === 'access token') await server.expire(token).catch(() => {});
			expiries++;
			const asked = performance.now();
			const calls = opened.map(async tab => {
				const statuses = await callFromTab(tab, `${server.api}/me`, callers).catch(() => ['closed']);
				waits.push(performance.now() - asked);
				return statuses;
			});
			if (random() < 0.2 && !isUnlocked) {
				const [victim] = opened.splice(1 + Math.floor(random() * (opened.length - 1)), 1);
				closed++;
				await victim?.close();
				opened.push(await open());
			}
			for (const outcome of (await Promise.all(calls)).flat()) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
			if (isLost) await login();
		}
		const elapsed = (performance.now() - began) / 1_000;
		const sorted = waits.toSorted((one, other) => one - other);
		const grants = server.tokenRequests.length;
		return {
			store: `web${isUnlocked ? ', no lock' : ', tabs closed'}`,
			holders: tabCount,
			callers,
			expiries,
			grants,
			grantsPerExpiry: grants / expiries,
			refreshesPerSecond: server.tokenRequests.filter(({status}) => status === 200).length / elapsed,
			// Of the whole call: a tab cannot be looked into from outside.
			waitInLock: {median: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0},
			sessionsLost,
			why,
			seed,
			outcomes,
		};
	} finally {
		await tabs.close();
		await server.close();
	}
};
