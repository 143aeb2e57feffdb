import {createServer, type IncomingMessage} from 'node:http';
import type {Hono} from 'hono';
import {expect, vi} from 'vitest';
import {type AuthorizationServer, startAuthorizationServer} from '../support/authorization-server.ts';
import {website} from '../support/login-pages.ts';
import {startRedis} from '../support/redis-server.ts';
import {listen, shut} from '../support/serve.ts';
import {test as base} from '../support/test.ts';
import {createVisitor, type Visitor} from '../support/visitor.ts';

interface Place {
	readonly server: AuthorizationServer;
	readonly origin: string;
}

/** Passes a request of Node's server to a Hono application, without an adapter. */
async function toRequest(incoming: IncomingMessage, origin: string): Promise<Request> {
	const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
		values.map((value): [string, string] => [name, value]),
	);
	return new Request(origin + String(incoming.url), {method: incoming.method ?? 'GET', headers});
}

const test = base
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('place', {scope: 'file'}, async ({}, {onCleanup}): Promise<Place> => {
		let app: Hono | undefined;
		const listener = createServer((incoming, outgoing) => {
			void (async () => {
				const answer = await app?.fetch(await toRequest(incoming, origin));
				for (const [name, value] of answer?.headers ?? []) outgoing.appendHeader(name, value);
				outgoing.writeHead(answer?.status ?? 500).end(await answer?.text());
			})();
		});
		const origin = await listen(listener);
		const [redis, server] = await Promise.all([
			startRedis(),
			startAuthorizationServer({
				accessTokenSeconds: 60,
				pages: {redirectUris: [`${origin}/callback`], postLogoutRedirectUris: [`${origin}/`]},
			}),
		]);
		const environment = {
			ISSUER: server.issuer,
			CLIENT_ID: website.clientId,
			CLIENT_SECRET: website.secret,
			ORIGIN: origin,
			API: server.api,
			REDIS_URL: redis.url,
		};
		for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
		const recipe = await import('../../playground/recipes/login-server.ts');
		app = recipe.default;
		onCleanup(async () => {
			vi.unstubAllEnvs();
			recipe.redis.destroy();
			await Promise.all([shut(listener), server.close(), redis.close()]);
		});
		return {server, origin};
	})
	.extend('server', async ({place: {server}, canaries}, {onCleanup}) => {
		server.reset();
		onCleanup(() => {
			canaries.plantAll(server.issued);
			server.referee.verdict();
		});
		return server;
	});

/** Logs in from a page of the app. Returns the URL at which the login ends. */
async function logIn(visitor: Visitor, origin: string, name: string, returnTo = '/me'): Promise<string> {
	const form = await visitor.open(`${origin}/login?returnTo=${encodeURIComponent(returnTo)}`);
	const consent = form.text.includes('name="name"') ? await visitor.submit(form, {name}) : form;
	const {url} = await visitor.submit(consent, {});
	return url;
}

test('users log in, come back to where they were, and are whom they say they are', async ({
	place: {origin},
	server,
}) => {
	const [ann, ben] = [createVisitor(), createVisitor()];
	expect(await logIn(ann, origin, 'ann')).toBe(`${origin}/me`);
	expect(await logIn(ben, origin, 'ben', '/me?tab=2')).toBe(`${origin}/me?tab=2`);
	const pages = [ann, ben, ann].map(async visitor => (await visitor.open(`${origin}/me`)).text);
	expect((await Promise.all(pages)).map(text => JSON.parse(text) as unknown)).toEqual(
		['ann', 'ben', 'ann'].map(subject => expect.objectContaining({subject}) as unknown),
	);
	expect(server.tokenRequests.map(({status, parameters}) => [status, parameters.get('grant_type')])).toEqual([
		[200, 'authorization_code'],
		[200, 'authorization_code'],
	]);
	// The server expects the secret in the header.
	expect(server.tokenRequests.every(({headers}) => headers['authorization']?.startsWith('Basic '))).toBe(true);
	expect([...ann.cookies.keys()].filter(name => name.startsWith('regrant'))).toEqual([]);
});

test('the server answers 401 to a user who is not logged in', async ({place: {origin}}) => {
	expect(await createVisitor().open(`${origin}/me`)).toMatchObject({status: 401, text: '{"error":"signed out"}'});
});

test('a user who logs out comes to the server even if the refresh token cannot be revoked', async ({
	place: {origin},
	server,
}) => {
	const ann = createVisitor();
	await logIn(ann, origin, 'ann');
	server.onRevocation(() => new Response(null, {status: 503}));
	const question = await ann.open(`${origin}/logout`, {method: 'POST'});
	expect(question.text).toContain('Sign out?');
	expect((await ann.open(`${origin}/me`)).status).toBe(401);
});

test('a user who logs out is logged out here, at the API and at the server', async ({place: {origin}, server}) => {
	const ann = createVisitor();
	await logIn(ann, origin, 'ann');
	const question = await ann.open(`${origin}/logout`, {method: 'POST'});
	expect(question.text).toContain('Sign out?');
	expect((await ann.submit(question, {logout: 'yes'})).url).toBe(`${origin}/`);
	expect((await ann.open(`${origin}/me`)).status).toBe(401);
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	expect((await ann.open(`${origin}/login`)).text).toContain('name="name"');
});

test('a login that somebody else began is not finished, whoever opens its address', async ({
	place: {origin},
	server,
}) => {
	const mallory = createVisitor();
	const isCallback = (url: string): boolean => url.startsWith(`${origin}/callback`);
	const form = await mallory.open(`${origin}/login`);
	const consent = await mallory.submit(form, {name: 'mallory'});
	const {url} = await mallory.submit(consent, {}, isCallback);
	const ann = createVisitor();
	expect(await ann.open(url)).toMatchObject({status: 400, text: '<a href="/login">Log in again</a>'});
	expect((await ann.open(`${origin}/me`)).status).toBe(401);
	expect(server.tokenRequests).toEqual([]);
});

test('a callback address that was opened before finishes no login', async ({place: {origin}, server}) => {
	const ann = createVisitor();
	const consent = await ann.submit(await ann.open(`${origin}/login`), {name: 'ann'});
	const {url} = await ann.submit(consent, {}, next => next.startsWith(`${origin}/callback`));
	expect((await ann.open(url)).status).toBe(404); // the start page, which this app does not have
	expect((await ann.open(url)).status).toBe(400);
	expect(server.tokenRequests).toHaveLength(1);
});

test.for(['//evil.example', 'https://evil.example', '/\\evil.example'])(
	'nobody is led to %s by the address of the login',
	async (returnTo, {place: {origin}}) => {
		const {status, url} = await createVisitor().open(`${origin}/login?returnTo=${encodeURIComponent(returnTo)}`);
		expect([status, new URL(url).origin]).toEqual([400, origin]);
	},
);

test('a user who says no can begin again', async ({place: {origin}}) => {
	const ann = createVisitor();
	const form = await ann.open(`${origin}/login`);
	expect(await ann.submit(form, {cancel: 'yes'})).toMatchObject({
		status: 400,
		text: '<a href="/login">Log in again</a>',
	});
	expect(await logIn(ann, origin, 'ann')).toBe(`${origin}/me`);
});
