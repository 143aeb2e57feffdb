import {describe, expect} from 'vitest';
import {storeNames} from '../../playground/page/stores.ts';
import {callsOf, grantsOf, holdRefreshes, openDrawer, said, test} from '../support/playground.ts';
import {createGate} from '../support/scenario.ts';
import {once} from '../support/stage.ts';

describe('a control in the drawer of the playground', {timeout: 180_000}, () => {
	test('the drawer sends forty calls on an expired token with one refresh', async ({playground}) => {
		const {server, click, summary, picture, tab} = playground;
		expect(await click('sign-in')).toBe('signed in');
		await expect.poll(() => tab.textContent('#session')).toMatch(/^Access token: \d+ s left$/);
		expect(await click('expire')).toBe('the API refuses every access token that there is');
		holdRefreshes(server, 40);
		expect(await click('send-40')).toBe('40 sent: 40 answered 200');
		expect([grantsOf(server), callsOf(server)]).toEqual([[200], '40 × 200, 40 × 401']);
		await summary('here', '1 token request 40 answered, 40 retried after a 401');
		const counts = ['.retry.good', '.call.retried', '.grant.good'].map(kind =>
			tab.locator(`#requests ${kind}`).count(),
		);
		expect(await Promise.all(counts)).toEqual([40, 40, 1]);
		await picture('forty-calls');
	});

	test(
		'the drawer sends one call, and a thousand',
		{timeout: 600_000},
		async ({playground: {server, click, summary}}) => {
			await click('sign-in');
			expect(await click('send-1')).toBe('1 sent: 1 answered 200');
			await click('expire');
			expect(await click('send-1000')).toBe('1000 sent: 1000 answered 200');
			expect([grantsOf(server), callsOf(server)]).toEqual([[200], '1001 × 200, 1000 × 401']);
			await summary('here', '1 token request 1001 answered, 1000 retried after a 401');
		},
	);

	test('the drawer sends forty calls by the usual recipe, which loses its session and gets another', async ({
		playground: {server, click, summary},
	}) => {
		expect(await click('recipe')).toBe('40 sent: 40 answered 200');
		await click('expire');
		expect(await click('recipe')).not.toContain('40 answered 200');
		expect(grantsOf(server).filter(status => status === 400).length).toBeGreaterThan(0);
		expect(await click('recipe')).toBe('40 sent: 40 answered 401');
		await summary('recipe', /\d+ refused or failed, .*\d+ × 401 to the caller/);
		expect(await click('recipe-sign-in')).toBe('the recipe has another session to lose');
		expect(await click('recipe')).toBe('40 sent: 40 answered 200');
	});

	test('the drawer revokes the refresh token, which ends the session until the next sign-in', async ({playground}) => {
		const {server, click, summary, picture} = playground;
		await click('sign-in');
		expect(await click('revoke')).toBe('the server accepts no refresh token that there is');
		// The answer of a call may be a 401 that arrived after the session had ended. Such a call gets that 401.
		expect(await click('send-40')).toMatch(/^40 sent: .*\d SessionEndedError \(session_ended\)/);
		expect(grantsOf(server)).toEqual([400]);
		await summary('here', /^1 token request 1 refused or failed/);
		await picture('revoked');
		expect(await click('send-1')).toBe('1 sent: 1 answered 401');
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
	});

	test('the drawer signs out, and revokes the refresh token at the server', async ({
		playground: {tab, server, click, summary},
	}) => {
		await click('sign-in');
		expect(await click('sign-out')).toBe('signed out');
		expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
		const [token = ''] = server.revocationRequests.map(({parameters}) => parameters.get('token') ?? undefined);
		expect(await server.isActive(token)).toBe(false);
		await summary('here', '0 token requests 1 revoked');
		expect(await tab.textContent('#session')).toBe('No session: signed_out');
		expect(await click('send-1')).toBe('1 sent: 1 answered 401');
		expect(grantsOf(server)).toEqual([]);
	});

	test.for([
		['unavailable', 503],
		['busy', 429],
	] as const)('the drawer makes the token endpoint %s, and the session stays', async ([mood, status], {playground}) => {
		const {server, click, choose, picture} = playground;
		await click('sign-in');
		holdRefreshes(server, 40);
		expect(await choose('mood', mood)).toBe(`the token endpoint is ${mood}`);
		await click('expire');
		expect(await click('send-40')).toBe('40 sent: 40 TokenResponseError (unexpected_status)');
		expect(grantsOf(server)).toEqual([status]);
		await picture(mood);
		await choose('mood', 'normal');
		await expect.poll(() => click('send-1'), {interval: 500}).toBe('1 sent: 1 answered 200');
		// However often the app called, no token request was sent before the back-off ended.
		expect(grantsOf(server)).toEqual([status, 200]);
	});

	test('the drawer aborts the calls, and their refresh goes on', async ({playground}) => {
		const {server, tab, click, choose, summary, picture} = playground;
		await click('sign-in');
		// The refresh is under way until the calls were aborted.
		const gate = createGate();
		server.onToken(once(gate.pass));
		await choose('mood', 'slow');
		await click('expire');
		await tab.click('#send-40');
		await expect.poll(() => grantsOf(server)).toEqual([0]);
		// The drawing shows the token request while it is running.
		await expect.poll(() => tab.locator('#requests .grant.open').count()).toBe(1);
		await tab.click('#abort');
		// The group shows the result of the control that was used last.
		expect(await said(tab, 'abort')).toBe('all calls under way were aborted');
		gate.open();
		// The next calls use the token of that refresh.
		expect(await click('send-40')).toBe('40 sent: 40 answered 200');
		expect(grantsOf(server)).toEqual([200]);
		await summary('here', /^1 token request 40 answered/);
		await picture('aborted');
	});

	test('the drawer loses an answer after the rotation, and with it the session', async ({playground}) => {
		const {server, click, choose} = playground;
		await click('sign-in');
		holdRefreshes(server, 40);
		await choose('mood', 'lossy');
		await click('expire');
		expect(await click('send-40')).toBe('40 sent: 40 TokenResponseError (unexpected_status)');
		await choose('mood', 'normal');
		await expect.poll(() => click('send-1'), {interval: 500}).toContain('SessionEndedError');
		expect(grantsOf(server)).toEqual([502, 400]);
	});

	test('the drawer takes the tab offline, and back online', async ({playground: {tab, server, click}}) => {
		await click('sign-in');
		await openDrawer(tab);
		await tab.check('#offline');
		expect(await said(tab, 'offline')).toBe('this tab is offline');
		expect(await click('send-1')).toBe('1 sent: 1 NetworkError');
		expect(await click('recipe')).toBe('40 sent: 40 NetworkError');
		expect(server.calls).toEqual([]);
		await tab.uncheck('#offline');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
	});

	test('the drawer opens another tab of the same session, and two tabs send one refresh', async ({playground}) => {
		const {tab, server, click, choose, summary, openOther, picture} = playground;
		await click('sign-in');
		await choose('mood', 'slow');
		const other = await openOther();
		expect(await other.textContent('#name')).toBe('tab 2');
		expect(await other.inputValue('#mood')).toBe('slow');
		await choose('mood', 'normal');
		await expect.poll(() => other.inputValue('#mood')).toBe('normal');
		await click('expire');
		await Promise.all([tab.click('#send-40'), other.click('#send-40')]);
		expect(await said(tab, 'send-40')).toBe('40 sent: 40 answered 200');
		expect(await said(other, 'send-40')).toBe('40 sent: 40 answered 200');
		expect(grantsOf(server)).toEqual([200]);
		await summary('elsewhere', /40 answered/);
		await summary('here', /40 answered/);
		await expect.poll(() => other.textContent('#drawer [data-lane="elsewhere"] .summary')).toContain('40 answered');
		await picture('two-tabs');
	});

	test.for(storeNames)('the drawer can keep the session in %s', async (store, {playground}) => {
		const {tab, server, click, choose} = playground;
		expect(await choose('store', store)).toBe(`the session lives in ${store}`);
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
		expect(callsOf(server)).toBe('1 × 200');
		const stored = await tab.evaluate(async () => [
			(await indexedDB.databases()).some(({name}) => name === 'regrant playground session'),
			...[localStorage, sessionStorage].map(storage => storage.getItem('playground session') !== null),
		]);
		expect(stored[1]).toBe(store === 'localStorage');
		expect(stored[2]).toBe(store === 'sessionStorage');
		// IndexedDB is the store with which the page opens, so its record may exist in any case.
		if (store === 'IndexedDB') expect(stored[0]).toBe(true);
	});

	test('the drawer clears the timeline', async ({playground: {tab, click, summary}}) => {
		await click('sign-in');
		await click('send-1');
		await summary('here', '0 token requests 1 answered');
		expect(await click('clear')).toBe('cleared');
		expect(await tab.locator('#requests li').count()).toBe(0);
		await summary('here', 'nothing yet');
	});
});
