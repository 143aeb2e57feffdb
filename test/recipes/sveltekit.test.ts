import {expect} from 'vitest';
import type {RequestEvent} from '@sveltejs/kit';
import {expired} from '../support/scenario.ts';
import type {AuthorizationServer} from '../support/authorization-server.ts';
import {test as base} from '../support/recipe-test.ts';

/** A user's browser, as SvelteKit sees it. */
interface Visitor {
	/** The requests that were made with the event's `fetch`, in order. */
	readonly fetched: Request[];
	/** Returns the event of another request. */
	event(): RequestEvent;
}

const app = 'https://app.example';

/**
Imitates the `fetch` of a request on SvelteKit's server. It accepts relative URLs. It answers the app's own URLs without a network and with
the visitor's cookies. Other hosts get no cookie.
*/
function createVisitor(): Visitor {
	const jar = new Map<string, string>();
	const fetched: Request[] = [];
	const url = new URL('/profile', app);
	const eventFetch: typeof fetch = async (input, init) => {
		const request = input instanceof Request ? input : new Request(new URL(input, url), init);
		fetched.push(request);
		if (new URL(request.url).origin !== url.origin) return fetch(request);
		request.headers.set('cookie', [...jar].map(pair => pair.join('=')).join('; '));
		return Response.json({theme: 'dark'});
	};
	return {
		fetched,
		event: () => ({
			fetch: eventFetch,
			url,
			cookies: {get: name => jar.get(name), set: (name, value) => void jar.set(name, value)},
			locals: {},
		}),
	};
}

const test = base
	.extend('recipe', {scope: 'file'}, async ({environment}) => {
		environment();
		return import('../../playground/recipes/sveltekit.ts');
	})
	.extend('visit', async ({recipe: {handle, load}}) => async ({event}: Visitor) => {
		const request = event();
		await handle({event: request, resolve: () => new Response()});
		return load(request);
	})
	.extend('signedIn', async ({recipe: {signIn}}) => async (server: AuthorizationServer): Promise<Visitor> => {
		const visitor = createVisitor();
		await signIn(visitor.event(), {...(await server.mint()), ...expired});
		return visitor;
	});

test('page loads at once on an expired token make one grant, through the fetch of their requests', async ({
	server,
	visit,
	signedIn,
}) => {
	const visitor = await signedIn(server);
	const loads = await Promise.all(Array.from({length: 10}, () => visit(visitor)));
	expect(new Set(loads.map(data => data?.me.subject)).size).toBe(1);
	expect(server.calls.map(({status}) => status)).toEqual(Array.from({length: 10}, () => 200));
	expect(visitor.fetched.filter(({url}) => url === `${server.api}/me`)).toHaveLength(10);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
});

test('the app’s own routes get the cookies of the request and no token, the API the token and no cookie', async ({
	server,
	visit,
	signedIn,
}) => {
	const visitor = await signedIn(server);
	expect((await visit(visitor))?.settings).toEqual({theme: 'dark'});
	const own = visitor.fetched.find(({url}) => url === `${app}/settings`);
	expect(own?.headers.get('cookie')).toMatch(/^session=/);
	expect(own?.headers.has('authorization')).toBe(false);
	expect(server.calls.map(({authorization, headers}) => [authorization?.slice(0, 7), headers['cookie']])).toEqual([
		['Bearer ', undefined],
	]);
});

test('users who load at once have a session each, and nobody else’s', async ({server, visit, signedIn}) => {
	const visitors = await Promise.all(Array.from({length: 5}, () => signedIn(server)));
	const stranger = createVisitor();
	const rounds = await Promise.all([...visitors, ...visitors, stranger].map(visitor => visit(visitor)));
	const subjects = rounds.map(data => data?.me.subject);
	expect(new Set(subjects.slice(0, 5)).size).toBe(5);
	expect(subjects.slice(5, 10)).toEqual(subjects.slice(0, 5));
	expect(rounds.at(-1)).toBeUndefined();
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200, 200, 200, 200]);
});

test('a user who signs out is the only one signed out, and at the server too', async ({
	server,
	recipe,
	visit,
	signedIn,
}) => {
	const [leaving, staying] = [await signedIn(server), await signedIn(server)];
	const event = leaving.event();
	await recipe.handle({event, resolve: () => new Response()});
	await recipe.signOut(event);
	expect(await visit(leaving)).toBeUndefined();
	expect(await visit(staying)).toBeDefined();
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	expect(server.tokenRequests).toHaveLength(1);
});

test('a session that the server has ended sends its user to the login', async ({server, recipe, visit}) => {
	const visitor = createVisitor();
	await recipe.signIn(visitor.event(), {...(await server.mint()), ...expired, refresh_token: 'never-issued'});
	expect([await visit(visitor), await visit(visitor)]).toEqual([undefined, undefined]);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([400]);
});
