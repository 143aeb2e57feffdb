import {describe, expect} from 'vitest';
import {comeBack, fillIn, openDrawer, signIn, test, verdicts} from '../support/playground.ts';

describe('the sign-in of the playground', {timeout: 180_000}, () => {
	test('the sign-in of the playground leads to the login page of the server and back, with nothing of the answer in the address', async ({
		playground: {tab, server, choose, click, picture},
		place: {origin},
	}) => {
		await choose('store', 'localStorage');
		const urls: string[] = [];
		tab.on('framenavigated', frame => void urls.push(frame.url()));
		await tab.click('#sign-in');
		await tab.waitForURL(/\/interaction\//);
		expect(new URL(tab.url()).origin).toBe(server.issuer);
		await picture('login');
		await fillIn(tab, 'Ben');
		expect(await comeBack(tab)).toBe('signed in');
		expect(tab.url()).toBe(`${origin}/?store=localStorage`);
		expect(await tab.inputValue('#store')).toBe('localStorage');
		expect(await tab.evaluate(() => Object.keys(sessionStorage))).toEqual(['playground-tab']);
		expect(await click('send-1')).toBe('1 sent: 1 answered 200');

		const [exchange] = server.tokenRequests;
		expect(Object.fromEntries(exchange?.parameters ?? [])).toMatchObject({
			grant_type: 'authorization_code',
			client_id: 'app',
			redirect_uri: `${origin}/`,
			code_verifier: expect.stringMatching(/^[\w-]{43}$/) as string,
		});
		// The URL with the code was loaded once. The reload did not load it again.
		expect(urls.filter(url => url.includes('code='))).toHaveLength(1);
		await tab.reload();
		await openDrawer(tab);
		expect(await tab.textContent('fieldset:has(#sign-in) output')).toBe('');
	});

	test('the sign-in of the playground says that the user said no, and can be begun again', async ({
		playground: {tab, server, click},
	}) => {
		await openDrawer(tab);
		await tab.click('#sign-in');
		await tab.getByRole('button', {name: 'Cancel'}).click();
		expect(await comeBack(tab)).toBe('Refused: access_denied');
		expect(server.tokenRequests).toEqual([]);
		expect(await click('sign-in')).toBe('signed in');
	});

	test('the sign-in of the playground is not finished by an address that another tab has come back with, and the page says what to do', async ({
		playground: {tab, context, server},
		place: {origin},
	}) => {
		await openDrawer(tab);
		const urls: string[] = [];
		tab.on('request', request => void urls.push(request.url()));
		await signIn(tab);
		const other = await context.newPage();
		await other.goto(urls.find(url => url.startsWith(`${origin}/?code=`)) ?? '');
		expect(await comeBack(other)).toBe('This login is over, or began in another tab: begin another login');
		expect(other.url()).toBe(`${origin}/`);
		expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	});
});

describe('where motion is welcome', {timeout: 180_000}, () => {
	const moving = test.override('view', {width: 1_280, height: 800, reducedMotion: 'no-preference'});

	moving('the comparison does not run again for a user who comes back from the login', async ({playground}) => {
		const {tab, click} = playground;
		await verdicts(tab);
		expect(await click('sign-in')).toBe('signed in');
		expect(await tab.locator('#story output').allTextContents()).toEqual(['Not run yet.', 'Not run yet.']);
		expect(await tab.isVisible('#sign-in')).toBe(true);
	});
});
