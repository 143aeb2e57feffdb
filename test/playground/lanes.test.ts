import {describe, expect} from 'vitest';
import {createDenoProgram} from '../../playground/deno-program.ts';
import {createWorkerProgram} from '../../playground/worker-program.ts';
import {callsOf, grantsOf, type Playground, test} from '../support/playground.ts';

/** Returns the entries of the list about everybody in a lane. */
const listed = async ({tab}: Playground, who: RegExp): Promise<string[]> =>
	(await tab.locator('#requests li').allTextContents()).filter(text => who.test(text));

describe('the lanes of the playground', {timeout: 300_000}, () => {
	test('forty calls through three isolates of the worker make one grant for each token that has expired', async ({
		playground,
	}) => {
		const {server, click, summary, picture} = playground;
		const answered = 'through 3 isolates of the worker, 40 sent: 40 answered 200';
		expect(await click('worker')).toBe(answered);
		expect([grantsOf(server), callsOf(server)]).toEqual([[200], '40 × 200']);
		await summary('worker', '1 token request 40 answered');
		await click('expire');
		expect(await click('worker')).toBe(answered);
		expect(grantsOf(server)).toEqual([200, 200]);
		await summary('worker', /^2 token requests 80 answered/);
		for (const isolate of [1, 2, 3])
			expect(await listed(playground, RegExp(`^isolate ${isolate}, call`))).not.toEqual([]);
		expect(await listed(playground, /^the worker: token \(grant\)$/)).toHaveLength(2);
		await picture('worker');
	});

	test('clients of the worker that hang up during their grant do not affect the others', async ({playground}) => {
		const {server, click, choose} = playground;
		await click('worker');
		const before = grantsOf(server).length;
		await choose('mood', 'slow');
		await click('expire');
		expect(await click('worker-hang-up')).toBe(
			'through 3 isolates of the worker, 20 hung up, 20 stayed: 20 answered 200',
		);
		await choose('mood', 'normal');
		expect(await click('worker')).toContain('40 sent: 40 answered 200');
		expect(grantsOf(server).slice(before)).toEqual([200]);
	});

	test('four processes of the Deno script make one grant, and those that run later use its token', async ({
		playground,
	}) => {
		const {server, click, summary, picture} = playground;
		for (const calls of [4, 8]) {
			expect(await click('deno')).toBe('4 Deno scripts: 4 answered');
			expect([grantsOf(server), callsOf(server)]).toEqual([[200], `${calls} × 200`]);
		}
		await click('expire');
		expect(await click('deno')).toBe('4 Deno scripts: 4 answered');
		expect(grantsOf(server)).toEqual([200, 200]);
		await summary('deno', /^2 token requests 12 answered/);
		expect(await listed(playground, /^script \d: token \(grant\)$/)).toHaveLength(2);
		await picture('deno');
	});

	test('a lane of the recipe, other tabs, the worker or the Deno scripts appears when it is first used', async ({
		playground,
	}) => {
		const {tab, click, summary} = playground;
		const visible = async (): Promise<(string | undefined)[]> =>
			tab.evaluate(() =>
				[...document.querySelectorAll<HTMLElement>('#drawer [data-lane]')]
					.filter(lane => lane.checkVisibility())
					.map(({dataset}) => dataset['lane']),
			);
		await click('send-1');
		expect(await visible()).toEqual(['server', 'here']);
		await click('recipe');
		await expect.poll(visible).toEqual(['server', 'here', 'recipe']);
		await click('deno');
		await expect.poll(visible).toEqual(['server', 'here', 'recipe', 'deno']);
		// A report that comes late would show its lane again. The server sends its own in order, so this one is the last.
		await summary('recipe', /40 answered/);
		await click('expire');
		await expect.poll(() => listed(playground, /^the server: expired$/)).toHaveLength(1);
		await click('clear');
		expect(await visible()).toEqual(['server', 'here']);
	});

	test('every tab is told in a word what is done to the server', async ({playground}) => {
		const {tab, click, choose, openOther} = playground;
		const other = await openOther();
		await click('sign-in');
		await click('expire');
		await click('revoke');
		await choose('mood', 'slow');
		await choose('mood', 'normal');
		for (const each of [tab, other]) {
			await expect
				.poll(async () =>
					(await each.locator('#requests li').allTextContents()).filter(text => text.startsWith('the server')),
				)
				.toEqual(['expired', 'revoked', 'slow', 'normal'].map(word => `the server: ${word}`));
		}
	});

	test('the page says that a program cannot start, and all else runs', async ({place: {server}, onTestFinished}) => {
		const [worker, deno] = [
			createWorkerProgram(server, () => {}),
			createDenoProgram(server, () => {}, ['/nowhere/deno']),
		];
		process.env['MINIFLARE_WORKERD_PATH'] = '/nowhere/workerd';
		onTestFinished(async () => {
			delete process.env['MINIFLARE_WORKERD_PATH'];
			await Promise.all([worker.close(), deno.close()]);
		});
		expect(await worker.run()).toMatch(/^workerd does not run here, all else does: .*\S/);
		expect(await deno.run()).toBe('Deno does not run here, all else does: spawn /nowhere/deno ENOENT');
		// Each click tries again to start workerd.
		delete process.env['MINIFLARE_WORKERD_PATH'];
		expect(await worker.run()).toContain('40 answered 200');
	});
});

test('a page of another origin cannot use the controls', async ({place: {origin, server}}) => {
	server.reset();
	const {host} = new URL(origin);
	const ask = async (headers: Record<string, string>): Promise<number> =>
		(await fetch(`${origin}/login`, {method: 'POST', headers})).status;
	expect([await ask({}), await ask({origin})]).toEqual([200, 200]);
	expect(await ask({origin: 'https://elsewhere.example'})).toBe(403);
	// Sends the name of another host that resolves to this machine, and the origin of its page.
	expect(await ask({host: 'elsewhere.example', origin: 'http://elsewhere.example'})).toBe(403);
	expect(await ask({host, origin: 'null'})).toBe(403);
});
