import {describe, expect} from 'vitest';
import {type TroubleName, troubles} from '../../playground/page/stage/troubles.ts';
import {grantsOf, holdRefreshes, type Playground, test} from '../support/playground.ts';
import {createGate} from '../support/scenario.ts';
import {once} from '../support/stage.ts';

const won = '1 refresh · 40 calls answered · Ann is still signed in';

/** Whether the last refresh token is still valid. This asks the server and not the page. */
const isAlive = async ({server}: Playground): Promise<boolean> => {
	const [last = ''] = [...server.issued].findLast(([, kind]) => kind === 'refresh token') ?? [];
	return server.isActive(last);
};

/** Returns what the page says about a trouble if the run goes as it should. */
const whyOf = (trouble: TroubleName): string => troubles[trouble].why;

const choices = Object.keys(troubles) as TroubleName[]; // `troubles` has no other keys

describe('on the stage', {timeout: 180_000}, () => {
	test('two tabs that find the token expired send one refresh', async ({playground}) => {
		const {server, play, tab, picture} = playground;
		const other = tab.locator('#stage [data-lane="other"]');
		expect(await other.isVisible()).toBe(false);
		holdRefreshes(server, 40);
		const {verdict, happened, why} = await play('two-tabs');
		expect([verdict, why]).toEqual([won, whyOf('two-tabs')]);
		expect(happened).toMatch(/(?:This tab refreshed it. The other tab|The other tab refreshed it. This tab) waited/);
		expect([grantsOf(server), await isAlive(playground)]).toEqual([[200], true]);
		const carried = new Set(server.calls.map(({authorization}) => authorization));
		expect([carried.size, server.calls.length]).toEqual([2, 81]);
		expect(await other.isVisible()).toBe(true);
		await picture('stage-two-tabs');
	});

	test('calls that come during a slow refresh wait for it', async ({playground}) => {
		const {server, play} = playground;
		const {verdict, happened, why} = await play('slow-endpoint');
		expect([verdict, why]).toEqual([won, whyOf('slow-endpoint')]);
		expect(happened).toMatch(/^The refresh took [2-9]\.\d seconds\. 20 calls waited for it, and 20 more joined them\./);
		expect([grantsOf(server), await isAlive(playground)]).toEqual([[200], true]);
	});

	test('a token endpoint that answers 503 is asked once, and once more when it has recovered', async ({playground}) => {
		const {server, play, picture} = playground;
		const {verdict, happened, why} = await play('unavailable');
		expect(verdict).toMatch(/^\d refreshes, \d failed · 1 of 4\d calls answered · Ann is still signed in$/);
		expect([happened, why]).toEqual([expect.stringContaining(' 40 calls failed'), whyOf('unavailable')]);
		expect(await isAlive(playground)).toBe(true);
		const grants = grantsOf(server);
		// On a busy machine, the first back-off may end before the last call, so the number of token requests may differ.
		expect([grants.at(-1), grants.length < 5, new Set(grants.slice(0, -1))]).toEqual([200, true, new Set([503])]);
		await picture('stage-unavailable');
	});

	test('a lost answer ends the session, and the page says that no client could have saved it', async ({playground}) => {
		const {server, play, picture} = playground;
		holdRefreshes(server, 20);
		const {verdict, why} = await play('lost-answer');
		expect(verdict).toBe('2 refreshes, 1 refused, 1 failed · Ann is signed out');
		expect(why).toMatch(/^No client could have saved this session/);
		expect([grantsOf(server), await isAlive(playground)]).toEqual([[502, 400], false]);
		await picture('stage-lost-answer');
	});

	test('a tab that goes offline during a refresh keeps the session', async ({playground}) => {
		const {server, play} = playground;
		const {verdict, happened, why} = await play('offline');
		expect(verdict).toMatch(/^\d refreshes, \d failed · 1 of 4\d calls answered · Ann is still signed in$/);
		expect([happened, why]).toEqual([expect.stringContaining(' 40 calls failed'), whyOf('offline')]);
		// No token request left the tab while it was offline.
		expect([grantsOf(server), await isAlive(playground)]).toEqual([[200], true]);
	});

	test('the page agrees with the server about a laptop that slept through a refresh', async ({playground}) => {
		const {play, picture} = playground;
		const {verdict, why} = await play('asleep');
		const isSignedIn = await isAlive(playground);
		expect(verdict).toContain(isSignedIn ? 'Ann is still signed in' : 'Ann is signed out');
		expect(why === whyOf('asleep')).toBe(isSignedIn);
		await picture('stage-asleep');
	});

	test('a sign-out in another tab ends a refresh that is under way, and revokes both refresh tokens', async ({
		playground,
	}) => {
		const {tab, server, play, picture} = playground;
		// The server grants the refresh before it hears of the sign-out, and answers it after that.
		const [granted, signedOut] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		server.onTokenAnswer(async () => {
			granted.resolve();
			await signedOut.promise;
		});
		server.onRevocation(async () => {
			signedOut.resolve();
			await granted.promise;
		});
		const {verdict, happened, why} = await play('sign-out');
		expect([verdict, why]).toEqual(['1 refresh · Ann is signed out', whyOf('sign-out')]);
		expect(await tab.getAttribute('[data-trouble="sign-out"] .outcome', 'data-ending')).toBe('good');
		expect(happened).toContain('2 refresh tokens were revoked');
		const revoked = server.revocationRequests.map(({parameters}) => parameters.get('token'));
		expect([new Set(revoked).size, await isAlive(playground)]).toEqual([2, false]);
		await picture('stage-sign-out');
	});

	test('a run that does not go as it should is shown as such', async ({playground}) => {
		const {server, play} = playground;
		// The server rejects the refresh of a tab that should have stayed signed in.
		server.onToken(({parameters}) => {
			if (parameters.get('grant_type') !== 'refresh_token') return undefined;
			const body = JSON.stringify({error: 'invalid_grant'});
			return {status: 400, headers: [['content-type', 'application/json']], body};
		});
		const {verdict, happened} = await play('two-tabs');
		expect(verdict).toMatch(/refused.* · Ann is signed out$/);
		expect(happened).toBe('This run did not go as it should.');
	});

	test('a trouble that cannot be played says so, beside its button', async ({playground}) => {
		const {context, play} = playground;
		await context.route('**/login', route => route.fulfill({status: 500}));
		expect((await play('offline')).verdict).toBe('This could not be played: HTTPError');
	});

	test('the token endpoint is as before when a trouble is over', async ({playground}) => {
		const {tab, play} = playground;
		await play('unavailable');
		await expect.poll(() => tab.inputValue('#mood')).toBe('normal');
	});

	test('one trouble is shown at a time, and choosing another clears what was drawn', async ({playground}) => {
		const {tab, play} = playground;
		await play('two-tabs');
		const visible = async (): Promise<(string | null)[]> => {
			const panels = await tab.locator('.trouble').all();
			const names = await Promise.all(
				panels.map(async panel => ((await panel.isVisible()) ? panel.getAttribute('data-trouble') : undefined)),
			);
			return names.filter(name => name !== undefined);
		};
		for (const choice of choices.toReversed()) {
			await tab.check(`input[value="${choice}"]`);
			expect(await visible()).toEqual([choice]);
		}
		expect(await tab.textContent('[data-trouble="two-tabs"] .told .verdict')).toBe('Not played yet.');
		expect(await tab.getAttribute('#stage [data-lane="tab"] .track', 'aria-valuetext')).toBe('nothing yet');
		expect(await tab.isVisible('#stage [data-lane="other"]')).toBe(false);
	});

	test('a run that goes on after another trouble was chosen draws nothing there', async ({playground}) => {
		const {tab, server} = playground;
		const gate = createGate();
		server.onToken(once(gate.pass));
		await tab.check('input[value="slow-endpoint"]');
		await tab.click('[data-trouble="slow-endpoint"] button');
		await expect.poll(() => grantsOf(server)).toEqual([0]);
		await tab.check('input[value="offline"]');
		gate.open();
		await expect.poll(() => grantsOf(server)).toEqual([200]);
		await expect.poll(() => server.calls.filter(({status}) => status === 200).length).toBe(41);
		expect(await tab.getAttribute('#stage [data-lane="tab"] .track', 'aria-valuetext')).toBe('nothing yet');
		expect(await tab.textContent('[data-trouble="slow-endpoint"] .told .verdict')).toBe('Not played yet.');
	});
});
