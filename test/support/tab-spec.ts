// What tabs that share a session must do, in every browser.
import {describe, expect} from 'vitest';
import type {AuthorizationServer} from './authorization-server.ts';
import {createGate, expired} from './scenario.ts';
import {
	callFromTab,
	connectTab,
	heardByTab,
	holdLockInTab,
	type Realm,
	signInTab,
	signOutTab,
	storedIn,
} from './tab-session.ts';
import {test} from './test.ts';

/** A browser under test. */
export interface TabSpecBrowser {
	readonly name: string;
	/** Opens another tab in the same profile. */
	open(): Promise<Realm & {close(): Promise<void>}>;
}

let sessions = 0;

/** Defines the tests of `indexedDbStore` with several tabs. */
export function tabSpec({name: browser, open}: TabSpecBrowser): void {
	const answered = (count: number): string[] => Array.from({length: count}, () => '200');

	/** Opens tabs that share a new session. */
	const connect = async (server: AuthorizationServer, count: number) => {
		const name = `session ${++sessions}`;
		const opened: Array<Awaited<ReturnType<typeof open>>> = [];
		for (let index = 0; index < count; index++) opened.push(await open());
		for (const tab of opened) await connectTab(tab, server, {name});
		const [first, second] = opened;
		if (!first || !second) throw new Error('A test needs two tabs');
		return {
			name,
			first,
			second,
			opened,
			close: async (): Promise<void> => {
				for (const tab of opened) await tab.close().catch(() => {});
			},
		};
	};

	describe(`tabs of ${browser}`, {timeout: 120_000}, () => {
		test('eight tabs with five callers each make one grant on one expired token [R71, F-96]', async ({server}) => {
			const {first, opened, close} = await connect(server, 8);
			const minted = await server.mint();
			await signInTab(first, minted);
			await server.expire(minted.access_token);
			const calls = await Promise.all(opened.map(tab => callFromTab(tab, `${server.api}/me`, 5)));
			expect(calls.flat()).toEqual(answered(40));
			expect(server.tokenRequests).toHaveLength(1);
			await close();
		});

		test('tabs refresh one session in turns, many times, and none reads an outdated token [R71]', async ({server}) => {
			const {first, opened, close} = await connect(server, 4);
			await signInTab(first, await server.mint());
			for (let round = 1; round <= 6; round++) {
				for (const [token, kind] of server.issued)
					if (kind === 'access token') await server.expire(token).catch(() => {});
				const calls = await Promise.all(opened.map(tab => callFromTab(tab, `${server.api}/me`, 3)));
				expect(calls.flat()).toEqual(answered(12));
				expect(server.tokenRequests).toHaveLength(round);
			}
			await close();
		});

		test('the lock of a tab that is closed goes to the next [F-97]', async ({server}) => {
			const {name, first, second, close} = await connect(server, 2);
			await signInTab(first, {...(await server.mint()), ...expired});
			await holdLockInTab(first, name);
			const call = callFromTab(second, `${server.api}/me`);
			await first.close();
			expect(await call).toEqual(answered(1));
			await close();
		});

		test('a sign-out in one tab wins over a refresh in another [R76, F-101]', async ({server}) => {
			const {name, first, second, close} = await connect(server, 2);
			await signInTab(first, {...(await server.mint()), ...expired});
			const {pass, reached, open: answer} = createGate();
			const stop = server.onTokenAnswer(pass);
			const calls = callFromTab(first, `${server.api}/me`, 3);
			await reached;
			await signOutTab(second);
			answer();
			expect(await calls).toEqual(Array.from({length: 3}, () => 'SessionEndedError signed_out'));
			stop();
			expect(await storedIn(second, name)).toBe(null);
			expect(await callFromTab(first, `${server.api}/me`)).toEqual(['401']);
			await close();
		});

		test('another login in one tab is neither used nor overwritten by those who wait in another [F-102]', async ({
			server,
		}) => {
			const {name, first, second, close} = await connect(server, 2);
			await signInTab(first, {...(await server.mint()), ...expired});
			const {pass, reached, open: answer} = createGate();
			const stop = server.onTokenAnswer(pass);
			const calls = callFromTab(first, `${server.api}/me`, 3);
			await reached;
			const login = await server.mint();
			await signInTab(second, login);
			answer();
			expect(await calls).toEqual(Array.from({length: 3}, () => 'SessionEndedError signed_out'));
			stop();
			expect(await storedIn(second, name)).toContain(login.refresh_token);
			expect(await callFromTab(first, `${server.api}/me`)).toEqual(answered(1));
			expect(server.calls.at(-1)?.authorization).toBe(`Bearer ${login.access_token}`);
			await close();
		});

		test('an idle tab hears of a login, of a refresh and of a sign-out in another', async ({server}) => {
			const {first, second, close} = await connect(server, 2);
			await signInTab(first, await server.mint());
			await expect.poll(() => heardByTab(second)).toEqual(['token store']);
			await first.evaluate(async () => {
				await (globalThis as unknown as {auth: {refresh(): Promise<unknown>}}).auth.refresh();
			}, undefined);
			await expect.poll(() => heardByTab(second)).toEqual(['token store', 'token store']);
			await signOutTab(first);
			await expect.poll(() => heardByTab(second)).toEqual(['token store', 'token store', 'session-ended signed_out']);
			await close();
		});
	});
}
