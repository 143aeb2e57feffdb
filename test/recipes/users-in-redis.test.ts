import {expect} from 'vitest';
import type {AuthorizationServer} from '../support/authorization-server.ts';
import {expired} from '../support/scenario.ts';
import {test as base} from '../support/recipe-test.ts';
import {startRedis} from '../support/redis-server.ts';

const test = base
	.extend('recipe', {scope: 'file'}, async ({environment}, {onCleanup}) => {
		const redis = await startRedis();
		environment({REDIS_URL: redis.url});
		const recipe = await import('../../playground/recipes/users-in-redis.ts');
		onCleanup(async () => {
			recipe.redis.destroy();
			await redis.close();
		});
		return recipe;
	})
	/** Signs in a user whose access token has expired. Returns the cookie that their browser sends. */
	.extend('signedIn', async ({recipe: {signIn}}) => async (server: AuthorizationServer): Promise<string> => {
		const [cookie = ''] = (await signIn({...(await server.mint()), ...expired})).split(';');
		return cookie;
	})
	.extend('ask', async ({recipe: {handle}}) => async (route: string, cookie?: string): Promise<Response> => {
		const [method = '', path = ''] = route.split(' ');
		const headers = cookie === undefined ? {} : {cookie};
		return handle(new Request(`https://app.example.com${path}`, {method, headers}));
	});

test('users whose requests come at once are each answered as themselves, after one refresh each', async ({
	server,
	signedIn,
	ask,
}) => {
	const cookies = [await signedIn(server), await signedIn(server)];
	const answers = await Promise.all(Array.from({length: 20}, (_, index) => ask('GET /me', cookies[index % 2])));
	const subjects = await Promise.all(answers.map(async answer => ((await answer.json()) as {subject: string}).subject));
	expect(new Set(subjects.filter((_, index) => index % 2 === 0)).size).toBe(1);
	expect(new Set(subjects).size).toBe(2);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
});

test('a user who signs out is the only one signed out, in Redis and at the server', async ({
	server,
	recipe,
	signedIn,
	ask,
}) => {
	const [leaving, staying] = [await signedIn(server), await signedIn(server)];
	const records = await recipe.redis.keys('session:*');
	const left = await ask('POST /sign-out', leaving);
	expect([left.status, left.headers.get('set-cookie')]).toEqual([204, 'session=; Max-Age=0; Path=/']);
	expect((await recipe.redis.keys('session:*')).length).toBe(records.length - 1);
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	expect((await ask('GET /me', leaving)).status).toBe(401);
	expect((await ask('GET /me', staying)).status).toBe(200);
});

test('a session that the server has ended is answered 401, again and again', async ({server, recipe, ask}) => {
	const token = {...(await server.mint()), ...expired, refresh_token: 'never-issued'};
	const [cookie = ''] = (await recipe.signIn(token)).split(';');
	expect([(await ask('GET /me', cookie)).status, (await ask('GET /me', cookie)).status]).toEqual([401, 401]);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([400]);
	expect(server.calls).toEqual([]);
});

test('a request without a cookie is answered 401, and an unknown path 404', async ({server, ask}) => {
	expect([(await ask('GET /me')).status, (await ask('GET /nothing')).status]).toEqual([401, 404]);
	expect(server.calls).toEqual([]);
});

test('a session that nobody uses is deleted by itself', async ({server, recipe, signedIn}) => {
	const [, id = ''] = (await signedIn(server)).split('=');
	expect(await recipe.redis.ttl(`session:${id}`)).toBeGreaterThan(0);
});

test('a createAuth for each request costs microseconds, and sends nothing', async ({server, recipe: {authOf}}) => {
	const count = 10_000;
	for (let index = 0; index < count; index++) authOf(`warm-${index}`);
	const begun = performance.now();
	for (let index = 0; index < count; index++) authOf(`user-${index}`);
	const microseconds = ((performance.now() - begun) * 1000) / count;
	process.stdout.write(`createAuth with redisStore: ${microseconds.toFixed(1)} µs for each request\n`);
	expect(server.tokenRequests).toEqual([]);
});
