import {describe, expect} from 'vitest';
import {callsOf, grantsOf, said, test} from '../support/playground.ts';

describe('a control of the playground', {timeout: 60_000}, () => {
	test('sends forty calls on a token that has expired, and one grant is made', async ({playground}) => {
		const {server, click, summary, picture, tab} = playground;
		expect(await click('sign-in')).toBe('signed in');
		await expect.poll(() => tab.textContent('#session')).toMatch(/^access token: \d+ s left$/);
		expect(await click('expire')).toBe('the API refuses every access token that there is');
		expect(await click('send-40')).toBe('40 sent: 40 answered 200');
		expect([grantsOf(server), callsOf(server)]).toEqual([[200], '40 × 200, 40 × 401']);
		await summary('here', '1 grant 40 × 200, 40 × 401');
		const counts = ['.retry.good', '.call.refused', '.grant.good'].map(kind =>
			tab.locator(`#requests ${kind}`).count(),
		);
		expect(await Promise.all(counts)).toEqual([40, 40, 1]);
		await picture('forty-calls');
	});

	test('sends one call, and a thousand', {timeout: 180_000}, async ({playground: {server, click, summary}}) => {
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
		await click('expire');
		expect(await click('send-1000')).toBe('1000 sent: 1000 answered 200');
		expect([grantsOf(server), callsOf(server)]).toEqual([[200], '1001 × 200, 1000 × 401']);
		await summary('here', '1 grant 1001 × 200, 1000 × 401');
	});

	test('shows regrant beside the usual recipe, which loses its session', async ({playground}) => {
		const {server, click, summary, picture} = playground;
		expect(await click('compare')).toMatch(/^40 sent: 40 answered 200; by the recipe, 40 sent: (?!40 answered 200)/);
		await summary('here', '1 grant 40 × 200, 40 × 401');
		await summary('recipe', /^40 grants .* of the grants failed$/);
		// Forty-one grants in all. One was enough for regrant, and was answered.
		expect(grantsOf(server)).toHaveLength(41);
		await picture('beside-the-recipe');
		expect(await click('recipe')).toBe('by the recipe, 40 sent: 40 answered 401');
		expect(await click('send-40')).toBe('40 sent: 40 answered 200');
	});

	test('gives the recipe a session, which is lost, and another', async ({playground: {server, click}}) => {
		expect(await click('recipe')).toBe('by the recipe, 40 sent: 40 answered 200');
		await click('expire');
		expect(await click('recipe')).not.toContain('40 answered 200');
		expect(grantsOf(server).filter(status => status === 400).length).toBeGreaterThan(0);
		expect(await click('recipe')).toBe('by the recipe, 40 sent: 40 answered 401');
		expect(await click('recipe-sign-in')).toBe('the recipe has another session to lose');
		expect(await click('recipe')).toBe('by the recipe, 40 sent: 40 answered 200');
	});

	test('revokes the refresh token, which ends the session until the next sign-in', async ({playground}) => {
		const {server, click, summary, picture} = playground;
		await click('sign-in');
		expect(await click('revoke')).toBe('the server takes no refresh token that there is');
		// The rest were refused when there was nothing left to renew with.
		expect(await click('send-40')).toMatch(/^40 sent: .*\d SessionEndedError \(session_ended\)/);
		expect(grantsOf(server)).toEqual([400]);
		await summary('here', /1 of the grants failed/);
		await picture('revoked');
		expect(await click('send-1')).toBe('1 sent: 1 answered 401');
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
	});

	test('signs out, and revokes the refresh token at the server', async ({
		playground: {tab, server, click, summary},
	}) => {
		await click('sign-in');
		expect(await click('sign-out')).toBe('signed out');
		expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
		const [token = ''] = server.revocationRequests.map(({parameters}) => parameters.get('token') ?? undefined);
		expect(await server.isActive(token)).toBe(false);
		await summary('here', '0 grants 1 revoked');
		expect(await tab.textContent('#session')).toBe('no session: signed_out');
		expect(await click('send-1')).toBe('1 sent: 1 answered 401');
		expect(grantsOf(server)).toEqual([]);
	});

	test.for([
		['unavailable', 503],
		['busy', 429],
	] as const)('makes the token endpoint %s, which costs no session', async ([mood, status], {playground}) => {
		const {server, click, choose, picture} = playground;
		await click('sign-in');
		expect(await choose('mood', mood)).toBe(`the token endpoint is ${mood}`);
		await click('expire');
		expect(await click('send-40')).toBe('40 sent: 40 TokenResponseError (unexpected_status)');
		expect(grantsOf(server)).toEqual([status]);
		await picture(mood);
		await choose('mood', 'normal');
		await expect.poll(() => click('send-1'), {timeout: 15_000, interval: 500}).toBe('1 sent: 1 answered 200');
		// None was made before it was time, however often it was asked for.
		expect(grantsOf(server)).toEqual([status, 200]);
	});

	test('makes the token endpoint slow, and aborts calls: the grant goes on', async ({playground}) => {
		const {server, tab, click, choose, summary, picture} = playground;
		await click('sign-in');
		await choose('mood', 'slow');
		await click('expire');
		await tab.click('#send-40');
		await expect.poll(() => grantsOf(server)).toEqual([0]);
		// It is seen while it is under way.
		await expect.poll(() => tab.locator('#requests .grant.open').count()).toBe(1);
		await tab.click('#abort');
		// What the calls came to was overtaken by what was clicked last.
		expect(await said(tab)).toBe('all calls under way were aborted');
		// The next calls have the token of that grant.
		expect(await click('send-40')).toBe('40 sent: 40 answered 200');
		expect(grantsOf(server)).toEqual([200]);
		await summary('here', /^1 grant 40 × 200/);
		await picture('aborted');
	});

	test('loses an answer after the rotation, and with it the session, which nobody can help', async ({playground}) => {
		const {server, click, choose} = playground;
		await click('sign-in');
		await choose('mood', 'lossy');
		await click('expire');
		expect(await click('send-40')).toBe('40 sent: 40 TokenResponseError (unexpected_status)');
		await choose('mood', 'normal');
		await expect.poll(() => click('send-1'), {timeout: 15_000, interval: 500}).toContain('SessionEndedError');
		expect(grantsOf(server)).toEqual([502, 400]);
	});

	test('takes the tab offline, and back', async ({playground: {tab, server, click}}) => {
		await click('sign-in');
		await tab.check('#offline');
		expect(await said(tab)).toBe('this tab is offline');
		expect(await click('send-1')).toBe('1 sent: 1 NetworkError');
		expect(await click('recipe')).toBe('by the recipe, 40 sent: 40 NetworkError');
		expect(server.calls).toEqual([]);
		await tab.uncheck('#offline');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
	});

	test('opens another tab on the same session, and two tabs make one grant', async ({playground}) => {
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
		expect(await said(tab)).toBe('40 sent: 40 answered 200');
		expect(await said(other)).toBe('40 sent: 40 answered 200');
		expect(grantsOf(server)).toEqual([200]);
		await summary('elsewhere', /40 × 200/);
		await summary('here', /40 × 200/);
		await expect.poll(() => other.textContent('[data-lane="elsewhere"] .summary')).toContain('40 × 200');
		await picture('two-tabs');
	});

	test.for(['localStorage', 'sessionStorage', 'memory'])('keeps the session in %s', async (store, {playground}) => {
		const {tab, server, click, choose} = playground;
		expect(await choose('store', store)).toBe(`the session lives in ${store}`);
		await click('sign-in');
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');
		expect(callsOf(server)).toBe('1 × 200');
		const stored = await tab.evaluate(() =>
			[localStorage, sessionStorage].map(storage => storage.getItem('playground-session') !== null),
		);
		expect(stored).toEqual([store === 'localStorage', store === 'sessionStorage']);
	});

	test('clears the timeline', async ({playground: {tab, click, summary}}) => {
		await click('sign-in');
		await click('send-1');
		await summary('here', '0 grants 1 × 200');
		expect(await click('clear')).toBe('cleared');
		expect(await tab.locator('#requests li').count()).toBe(0);
		await summary('here', 'nothing yet');
	});
});
