import {expect, vi} from 'vitest';
import type {AuthToken} from '../../src/index.ts';
import {createGate, expired} from '../support/scenario.ts';
import type {AuthorizationServer} from '../support/authorization-server.ts';
import {test as base} from '../support/recipe-test.ts';
import {startRedis} from '../support/redis-server.ts';
import {once} from '../support/stage.ts';

/** The cookies of the current request, as Next.js provides them. */
const requests = await vi.hoisted(async () => {
	const {AsyncLocalStorage} = await import('node:async_hooks');
	return new AsyncLocalStorage<Cookies>();
});

vi.mock('next/headers', () => ({cookies: async () => requests.getStore()}));

/** The cookies of one browser. */
interface Cookies {
	get(name: string): {readonly value: string} | undefined;
	set(name: string, value: string): void;
}

function createCookies(): Cookies {
	const jar = new Map<string, {readonly value: string}>();
	return {get: name => jar.get(name), set: (name, value) => void jar.set(name, {value})};
}

const test = base
	.extend('recipe', {scope: 'file'}, async ({environment}, {onCleanup}) => {
		const redis = await startRedis();
		environment({REDIS_URL: redis.url});
		const {Page, redis: client, signIn, signOut} = await import('../../playground/recipes/next.ts');
		onCleanup(async () => {
			client.destroy();
			await redis.close();
		});
		return {
			redis: client,
			Page: (cookies: Cookies) => requests.run(cookies, Page),
			signIn: (cookies: Cookies, token: AuthToken) => requests.run(cookies, signIn, token),
			signOut: (cookies: Cookies) => requests.run(cookies, signOut),
		};
	})
	.extend('signedIn', async ({recipe: {signIn}}) => async (server: AuthorizationServer): Promise<Cookies> => {
		const cookies = createCookies();
		await signIn(cookies, {...(await server.mint()), ...expired});
		return cookies;
	});

test('two users whose pages are rendered at once never see each other', async ({server, recipe: {Page}, signedIn}) => {
	const users = [await signedIn(server), await signedIn(server)];
	const renderings = Array.from({length: 20}, (_, index) => Page(users[index % 2] ?? createCookies()));
	const pages = await Promise.all(renderings);
	const [first, second] = pages;
	expect(first).toMatch(/^Hello, user-/);
	expect(second).toMatch(/^Hello, user-/);
	expect(first).not.toBe(second);
	expect(pages).toEqual(Array.from({length: 20}, (_, index) => (index % 2 === 0 ? first : second)));
	// One refresh for each user, however many of their pages were rendered.
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
	expect(await Promise.all([Page(createCookies()), ...users.map(user => Page(user))])).toEqual([
		'Sign in',
		first,
		second,
	]);
	expect(server.tokenRequests).toHaveLength(2);
});

test('one user’s slow renewal holds up nobody else', async ({server, recipe: {Page}, signedIn}) => {
	const [slow, quick] = [await signedIn(server), await signedIn(server)];
	const gate = createGate();
	server.onTokenAnswer(once(gate.pass));
	const page = Page(slow);
	await gate.reached;
	expect(await Page(quick)).toMatch(/^Hello, user-/);
	gate.open();
	expect(await page).toMatch(/^Hello, user-/);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
});

test('a user who signs out is the only one signed out, in Redis and at the server', async ({
	server,
	recipe,
	signedIn,
}) => {
	const {Page, redis, signOut} = recipe;
	const [leaving, staying] = [await signedIn(server), await signedIn(server)];
	const records = await redis.keys('session:*');
	await signOut(leaving);
	expect(await Promise.all([Page(leaving), Page(staying)])).toEqual(['Sign in', expect.stringMatching(/^Hello, /)]);
	expect((await redis.keys('session:*')).length).toBe(records.length - 1);
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
});

test('a session that the server has ended asks to sign in, again and again', async ({server, recipe}) => {
	const {Page, signIn} = recipe;
	const cookies = createCookies();
	await signIn(cookies, {...(await server.mint()), ...expired, refresh_token: 'never-issued'});
	expect([await Page(cookies), await Page(cookies)]).toEqual(['Sign in', 'Sign in']);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([400]);
});
