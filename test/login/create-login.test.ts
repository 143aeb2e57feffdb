import {createHash} from 'node:crypto';
import * as fc from 'fast-check';
import {describe, expect, onTestFinished, vi} from 'vitest';
import {clientSecretBasic, clientSecretPost, isRegrantError, type TokenScheme} from '../../src/index.ts';
import {createLogin, type LoginOptions, type LoginStorage} from '../../src/login/login.ts';
import {createClock} from '../support/scenario.ts';
import {createFakeLogin, createFakeStorage, idTokenOf, place} from '../support/fake-login.ts';
import {holds, hostileText} from '../support/property.ts';
import {test} from '../support/test.ts';

/** The stored data of the login that began last. */
const keptOf = ({entries}: {readonly entries: ReadonlyMap<string, string>}): Record<string, unknown> =>
	JSON.parse([...entries.values()].at(-1) ?? '{}') as Record<string, unknown>;

/** The parameters in which a callback URL differs from the right one. */
type Answer = Readonly<Record<string, string | undefined>>;

const failed = 'The storage failed: begin another login';

/** The error with which a login fails. */
const reasonOf = async (work: Promise<unknown>): Promise<unknown> => {
	try {
		return await work;
	} catch (error) {
		return error;
	}
};

const over = 'This login is over, or began in another tab: begin another login';

describe('start', () => {
	test('start gives the URL of the authorization endpoint with PKCE and a state', async () => {
		const {login, storage} = createFakeLogin({scope: 'accounts'});
		const url = new URL(await login.start());
		const {code_verifier} = keptOf(storage);
		expect(url.origin + url.pathname).toBe(place.authorizationEndpoint);
		const {state, code_challenge, ...parameters} = Object.fromEntries(url.searchParams);
		expect(parameters).toEqual({
			scope: 'accounts',
			response_type: 'code',
			client_id: place.clientId,
			redirect_uri: place.redirectUri,
			code_challenge_method: 'S256',
		});
		expect(code_verifier).toMatch(/^[\w.~-]{43,128}$/);
		expect(code_challenge).toBe(createHash('sha256').update(String(code_verifier)).digest('base64url'));
		expect([...storage.entries.keys()]).toEqual([`regrant.login.${state}`]);
		expect(url.href).not.toContain(String(code_verifier));
	});

	test('start sends a nonce if it asks for an ID token, and none otherwise', async () => {
		const {begin, storage} = createFakeLogin({scope: 'openid accounts'});
		expect((await begin()).get('nonce')).toBe(keptOf(storage)['nonce']);
		expect((await begin()).get('nonce')).toMatch(/^[\w-]{43}$/);
		for (const scope of ['accounts', 'my-openid openid2', undefined]) {
			expect((await createFakeLogin({scope}).begin()).has('nonce')).toBe(false);
		}
	});

	test('start makes a new state, nonce and code verifier for each login', async () => {
		const {begin, storage} = createFakeLogin({scope: 'openid'});
		const texts = new Set<unknown>();
		for (let login = 0; login < 50; login++) {
			const parameters = await begin();
			texts.add(parameters.get('state')).add(parameters.get('nonce')).add(keptOf(storage)['code_verifier']);
		}
		expect(texts.size).toBe(150);
	});

	test('start keeps the query of the authorization endpoint and writes the redirect URI letter by letter', async () => {
		const redirectUri = 'https://app.example';
		const {begin} = createFakeLogin({authorizationEndpoint: new URL('https://as.example/a?tenant=b c'), redirectUri});
		const parameters = await begin();
		expect(parameters.get('tenant')).toBe('b c');
		expect(parameters.get('redirect_uri')).toBe(redirectUri);
	});

	test('start sends further parameters, of all logins and of one, and repeats a name with a list [R109]', async () => {
		const resource = ['https://api.example', 'urn:files'];
		const {begin} = createFakeLogin({parameters: {audience: 'a', prompt: 'login', resource, ui_locales: undefined}});
		const parameters = await begin({parameters: {prompt: 'consent', login_hint: 'ann@example.com'}});
		expect(parameters.getAll('resource')).toEqual(resource);
		expect([parameters.get('audience'), parameters.getAll('prompt'), parameters.get('login_hint')]).toEqual([
			'a',
			['consent'],
			'ann@example.com',
		]);
		expect(parameters.has('ui_locales')).toBe(false);
	});

	test.for(
		[
			'client_id',
			'client_secret',
			'response_type',
			'response_mode',
			'redirect_uri',
			'state',
			'nonce',
			'code_challenge',
			'code_challenge_method',
		].map(name => name),
	)('start refuses the parameter %s, which it sets itself', async name => {
		const parameters = {[name]: 'x'};
		const message = `parameters.${name} is set by regrant itself`;
		expect(() => createFakeLogin({parameters})).toThrow(message);
		await expect(createFakeLogin().begin({parameters})).rejects.toThrow(message);
	});

	test.for(['/relative', 'api', 'https://api.example#files', '', ['https://api.example', 'api'], 42])(
		'start refuses the resource %j [R109]',
		async resource => {
			const parameters = {resource} as Record<string, string>;
			expect(() => createFakeLogin({parameters})).toThrow(/parameters\.resource must be/);
			await expect(createFakeLogin().begin({parameters})).rejects.toThrow(/parameters\.resource must be/);
		},
	);

	test('start refuses an invalid scope', () => {
		expect(() => createFakeLogin({scope: 'a  b'})).toThrow('parameters.scope must be');
		expect(() => createFakeLogin({scope: 'a"b'})).toThrow('parameters.scope must be');
	});

	test('start needs an issuer if it asks for an ID token', async () => {
		const {login} = createFakeLogin({scope: 'openid', issuer: undefined});
		await expect(login.start()).rejects.toMatchObject({
			code: 'invalid_options',
			message: 'issuer is required',
		});
	});

	test('start does not reveal what it gave to a storage that fails', async ({canaries}) => {
		const storage = createFakeStorage();
		storage.setItem = (_key, value) => {
			canaries.plant((JSON.parse(value) as {code_verifier: string}).code_verifier);
			throw new Error(value);
		};
		const {login} = createFakeLogin({}, storage);
		expect(await canaries.rejection(login.start())).toMatchObject({code: 'login_failed', message: failed});
	});
});

describe('returnTo', () => {
	test.for(['/', '/accounts', '/a/b/?c=//d#e//f', '/früh', '/a.b/..c', '/?next=https://evil.example'])(
		'returnTo %s comes back',
		async returnTo => {
			const {login, begin} = createFakeLogin();
			const state = (await begin({returnTo})).get('state');
			expect(await login.finish(`/callback?code=c&state=${state}`)).toMatchObject({returnTo});
		},
	);

	test.for([
		'//evil.example',
		'/\\evil.example',
		'\\/evil.example',
		'/\t/evil.example',
		'/\n/evil.example',
		'/.//evil.example',
		'/a/..//evil.example',
		'https://evil.example',
		'https:evil.example',
		'javascript:alert(1)',
		' //evil.example',
		'accounts',
		'',
		42,
		['/'],
		null,
	])('returnTo %j is refused, because it may lead to another origin', async returnTo => {
		await expect(createFakeLogin().begin({returnTo: returnTo as string})).rejects.toMatchObject({
			code: 'invalid_options',
			message: 'returnTo must be a path of this origin',
		});
	});

	test('returnTo is the start page if the login was given none, or if its storage was tampered with', async () => {
		const {login, callback, storage} = createFakeLogin();
		expect(await login.finish(await callback())).toMatchObject({returnTo: '/'});
		const url = await callback();
		for (const [key, value] of storage.entries) storage.entries.set(key, value.replace('"/"', '"//evil.example"'));
		expect(await login.finish(url)).toMatchObject({returnTo: '/'});
	});

	test('returnTo never leads to another origin, whatever it is and however often it is parsed', async ({annotate}) => {
		const path = fc.oneof(
			hostileText,
			hostileText.map(text => `/${text}`),
			fc.webPath(),
			fc.webPath().map(text => `/.${text}`),
		);
		const property = fc.asyncProperty(path, async returnTo => {
			const begun = await createFakeLogin()
				.begin({returnTo})
				.catch((error: unknown) => error);
			if (begun instanceof Error) return;
			const origin = 'https://app.example';
			let read = returnTo;
			for (let times = 0; times < 3; times++) {
				const url = new URL(read, origin);
				expect(url.origin).toBe(origin);
				read = url.href.slice(origin.length);
			}
		});
		await holds(property, {annotate});
	});
});

describe('isCallback', () => {
	test.for([
		['https://app.example/callback?code=c&state=s', true],
		['https://app.example/callback?error=access_denied&state=s', true],
		['/callback?code=c&state=s', true],
		['https://app.internal:8080/callback?code=c&state=s', true],
		['https://app.example/callback?code=c', false],
		['https://app.example/callback?state=s', false],
		['https://app.example/callback?code=&state=s', false],
		['https://app.example/callback#code=c&state=s', false],
		['https://app.example/callback/?code=c&state=s', false],
		['https://app.example/shop?code=SUMMER&state=s', false],
		['https://app.example/callback', false],
	] as const)('isCallback of %s is %s', ([url, expected]) => {
		expect(createFakeLogin().login.isCallback(url)).toBe(expected);
		expect(createFakeLogin().login.isCallback(new URL(url, 'https://app.example'))).toBe(expected);
	});

	test.for([
		['code=c&state=s', true],
		['route=callback&tenant=a%20b&code=c&state=s', true],
		['code=c&state=s&tenant=a+b&route=callback', true],
		['code=c&state=s&route=callback', false],
		['code=c&state=s&route=shop&tenant=a+b', false],
		['route=callback&tenant=a+b', false],
	] as const)(
		'isCallback of a URL with the query %s needs the query of the redirect URI, in whatever order',
		([query, expected]) => {
			const plain = createFakeLogin().login;
			const {login} = createFakeLogin({redirectUri: `${place.redirectUri}?route=callback&tenant=a%20b`});
			const isPlain = query === 'code=c&state=s';
			expect((isPlain ? plain : login).isCallback(`/callback?${query}`)).toBe(expected);
		},
	);

	test('isCallback needs a URL where there is no page, and does not quote an invalid one', ({canaries}) => {
		const {login} = createFakeLogin();
		canaries.plant('code-of-ann');
		for (const url of [undefined, 'https://[?code=code-of-ann']) {
			let error: unknown;
			try {
				login.isCallback(url);
			} catch (thrown) {
				error = canaries.see(thrown);
			}
			expect(error).toMatchObject({code: 'invalid_options', message: 'url must be a URL'});
		}
	});
});

describe('finish', () => {
	test('finish exchanges the code and gives the token', async () => {
		const {login, callback, server, storage} = createFakeLogin({scope: 'accounts', headers: {'x-version': '1'}});
		const url = await callback();
		const {code_verifier} = keptOf(storage);
		const {token, returnTo, claims} = await login.finish(url);
		expect(token).toMatchObject({access_token: 'access-token-of-ann', scope: 'accounts'});
		expect([returnTo, claims]).toEqual(['/', undefined]);
		expect(server.requests.map(body => Object.fromEntries(body))).toEqual([
			{
				grant_type: 'authorization_code',
				client_id: place.clientId,
				code: 'code-of-ann-4711',
				redirect_uri: place.redirectUri,
				code_verifier,
			},
		]);
		expect(server.headers[0]?.get('x-version')).toBe('1');
		expect(storage.entries.size).toBe(0);
	});

	test('finish names the resource again at the token endpoint, and no other parameter [R109]', async () => {
		const resource = ['https://api.example', 'urn:files'];
		const {login, begin, server} = createFakeLogin({parameters: {resource, audience: 'a'}});
		const state = (await begin()).get('state');
		await login.finish(`/callback?code=c&state=${state}`);
		expect(server.requests[0]?.getAll('resource')).toEqual(resource);
		expect(server.requests[0]?.has('audience')).toBe(false);
	});

	test('finish keeps a scope that the server narrows', async () => {
		const {login, callback, server} = createFakeLogin({scope: 'accounts transfers'});
		server.answer = () => ({access_token: 'at', scope: 'accounts'});
		expect((await login.finish(await callback())).token.scope).toBe('accounts');
	});

	test('finish keeps the fields of the answer that the option keep names', async () => {
		const {login, callback, server} = createFakeLogin({keep: ['instance_url']});
		server.answer = () => ({access_token: 'at', instance_url: 'https://eu.example', id_token: 'i.d.t', other: 1});
		const {token} = await login.finish(await callback());
		expect(token).toMatchObject({instance_url: 'https://eu.example', id_token: 'i.d.t'});
		expect(token).not.toHaveProperty('other');
	});

	test('finish proves who the client is, as the token endpoint asks', async () => {
		const secret = 'secret-of-the-app';
		const basic = createFakeLogin({clientAuthentication: clientSecretBasic(secret)});
		await basic.login.finish(await basic.callback());
		expect(basic.server.headers[0]?.get('authorization')).toBe(`Basic ${btoa(`app:${secret}`)}`);
		const post = createFakeLogin({clientAuthentication: clientSecretPost(secret)});
		const url = await post.callback();
		await post.login.finish(url);
		expect(post.server.requests[0]?.get('client_secret')).toBe(secret);
		expect(url).not.toContain(secret);
	});

	test('finish says which client authentication the server takes, if it does not take this one', async () => {
		const metadata = {token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_post']};
		const {login, callback, server} = createFakeLogin({metadata});
		server.answer = () => Response.json({error: 'invalid_client'}, {status: 401});
		await expect(login.finish(await callback())).rejects.toMatchObject({
			error: 'invalid_client',
			message:
				'POST https://as.example answered 401: invalid_client. The server takes private_key_jwt or client_secret_post',
		});
	});

	test('finish binds the token to the scheme that proves the token request', async () => {
		const scheme: TokenScheme = {
			header: 'authorization',
			tokenType: 'dpop',
			apply: ({headers}) => headers.set('dpop', 'proof'),
		};
		const {login, callback, server} = createFakeLogin({scheme});
		server.answer = () => ({access_token: 'at', token_type: 'DPoP'});
		expect((await login.finish(await callback())).token.token_type).toBe('DPoP');
		expect(server.headers[0]?.get('dpop')).toBe('proof');
		server.answer = () => ({access_token: 'at', token_type: 'Bearer'});
		await expect(login.finish(await callback())).rejects.toMatchObject({code: 'unsupported_token_type'});
	});

	test('finish reports a token endpoint that refuses the code, and one that cannot be reached', async ({canaries}) => {
		const {login, callback, server, storage} = createFakeLogin();
		server.answer = () => Response.json({error: 'invalid_grant', error_description: 'code-of-ann-4711'}, {status: 400});
		let url = await callback();
		canaries.plant('code-of-ann-4711', 'code');
		canaries.plant(String(keptOf(storage)['code_verifier']), 'code verifier');
		expect(await canaries.rejection(login.finish(url))).toMatchObject({code: 'oauth_error', error: 'invalid_grant'});
		server.answer = () => {
			throw new Error('code-of-ann-4711');
		};
		url = await callback();
		canaries.plant(String(keptOf(storage)['code_verifier']), 'code verifier');
		expect(await canaries.rejection(login.finish(url))).toMatchObject({code: 'network'});
	});
});

describe('the address bar', () => {
	/** Opens a page at this URL. The log records each URL that replaces it, in order. */
	const visit = (href: string, log: string[]): void => {
		const page = {href};
		vi.stubGlobal('location', page);
		vi.stubGlobal('history', {
			state: 'of the router',
			replaceState(state: unknown, _: string, url: string | URL) {
				const next = new URL(url, page.href);
				if (next.origin !== new URL(page.href).origin) {
					throw new DOMException(`'${next}' cannot be shown in a document with URL '${page.href}'`, 'SecurityError');
				}
				page.href = next.href;
				log.push(`${next} ${String(state)}`);
			},
		});
		onTestFinished(() => void vi.unstubAllGlobals());
	};

	test('the address bar is cleaned before the code is sent, and before anything is awaited', async () => {
		const log: string[] = [];
		const {login, callback, server} = createFakeLogin();
		server.answer = () => {
			log.push('token request');
			return {access_token: 'at'};
		};
		visit(await callback(), log);
		expect(login.isCallback()).toBe(true);
		const finished = login.finish();
		expect(log).toEqual([`${place.redirectUri} of the router`]);
		expect(login.isCallback()).toBe(false);
		await finished;
		expect(log.at(-1)).toBe('token request');
	});

	test('the address bar is also cleaned of an error, and of an answer that was used', async () => {
		for (const answer of [{code: undefined, error: 'access_denied'}, {state: '1-2-3-4'}]) {
			const log: string[] = [];
			const {login, callback} = createFakeLogin();
			visit(await callback(answer), log);
			await expect(login.finish()).rejects.toBeInstanceOf(Error);
			expect(log).toHaveLength(1);
		}
	});

	test('the address bar shows no fragment of the server any more, either', async () => {
		const log: string[] = [];
		const {login, callback} = createFakeLogin();
		visit(`${await callback()}#_=_`, log);
		expect(login.isCallback()).toBe(true);
		expect(await login.finish()).toHaveProperty('token');
		expect(log).toEqual([`${place.redirectUri} of the router`]);
	});

	test('the address bar keeps the query of the redirect URI, which may be the route of the page', async () => {
		const redirectUri = `${place.redirectUri}?route=callback`;
		const log: string[] = [];
		const {login, begin} = createFakeLogin({redirectUri});
		visit(`${redirectUri}&code=c&state=${(await begin()).get('state')}`, log);
		expect(await login.finish()).toHaveProperty('token');
		expect(log).toEqual([`${redirectUri} of the router`]);
	});

	test.for([
		['http://127.0.0.1:4100/callback', 'http://localhost:4100/callback'],
		['https://app.example/callback', 'https://www.app.example/callback'],
		['https://app.example//callback', 'https://www.app.example//callback'],
	] as const)(
		'the address bar is cleaned if the redirect URI %s is reached as %s, and no error holds the code',
		async ([redirectUri, page], {canaries}) => {
			canaries.plant('code-of-ann-4711');
			const log: string[] = [];
			const {login, begin} = createFakeLogin({redirectUri});
			// The other origin has another storage, so the login is not known there.
			await begin();
			visit(`${page}?code=code-of-ann-4711&state=1-2-3-4#_=_`, log);
			expect(await canaries.rejection(login.finish())).toMatchObject({code: 'login_failed', message: over});
			expect(log).toEqual([`${page} of the router`]);
		},
	);

	test('the address bar of a page that cannot change it stays, and the login is finished', async ({canaries}) => {
		const {login, callback} = createFakeLogin();
		canaries.plant('code-of-ann-4711');
		const url = await callback();
		const replaceState = (): never => {
			throw new DOMException(`${url}: called too often`, 'SecurityError');
		};
		visit(url, []);
		vi.stubGlobal('history', {state: null, replaceState});
		expect(await login.finish()).toHaveProperty('token');
		expect(await canaries.rejection(login.finish())).toMatchObject({code: 'login_failed', message: over});
	});

	test('the address bar has the answer for one of two that finish at once, as effects do that React runs twice', async () => {
		const {login, callback, server} = createFakeLogin();
		visit(await callback(), []);
		const effect = async (): Promise<unknown> => (login.isCallback() ? login.finish() : undefined);
		const [first, second] = await Promise.all([effect(), effect()]);
		expect(first).toHaveProperty('token');
		expect(second).toBeUndefined();
		visit(await callback(), []);
		const settled = await Promise.allSettled([login.finish(), login.finish()]);
		expect(settled.map(({status}) => status)).toEqual(['fulfilled', 'rejected']);
		expect(server.requests).toHaveLength(2);
	});

	test('the address bar is left alone if it shows another page, or no answer', async () => {
		const log: string[] = [];
		const {login, callback} = createFakeLogin();
		visit('https://app.example/accounts', log);
		await login.finish(await callback());
		await expect(login.finish()).rejects.toMatchObject({code: 'login_failed'});
		expect(log).toEqual([]);
	});
});

describe('a login is finished once, where it began, and soon', () => {
	test('a callback that is loaded twice makes one token request', async () => {
		const {login, callback, server} = createFakeLogin();
		const url = await callback();
		await login.finish(url);
		await expect(login.finish(url)).rejects.toMatchObject({code: 'login_failed', message: over});
		expect(server.requests).toHaveLength(1);
	});

	test('only one of two callers at once can finish a login', async () => {
		const {login, callback, server} = createFakeLogin();
		const url = await callback();
		const settled = await Promise.allSettled([login.finish(url), login.finish(url), login.finish(url)]);
		expect(settled.map(({status}) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
		expect(server.requests).toHaveLength(1);
	});

	test('a login is finished once, where it began, and soon of two that finish one login at once, one does, also if the storage takes its time', async () => {
		const storage = createFakeStorage();
		const {getItem, removeItem} = storage;
		const slow: LoginStorage = {
			setItem: storage.setItem,
			getItem: async key => {
				await Promise.resolve();
				return getItem(key);
			},
			removeItem: async key => removeItem(key),
		};
		const {login, callback, server} = createFakeLogin({storage: slow}, storage);
		const url = await callback();
		const settled = await Promise.allSettled([login.finish(url), login.finish(url)]);
		expect(settled.map(({status}) => status)).toEqual(['fulfilled', 'rejected']);
		expect(server.requests).toHaveLength(1);
		expect(storage.log).toEqual(['set', 'get', 'remove']);
	});

	test('only one of two callers finishes a login, also if another login is finished in between', async () => {
		const slow = (): LoginStorage => {
			const {entries, getItem: _, ...storage} = createFakeStorage();
			return {
				...storage,
				async getItem(key) {
					const text = entries.get(key);
					await new Promise(resolve => void setTimeout(resolve, 10));
					return text;
				},
			};
		};
		const [first, second] = [createFakeLogin({storage: slow()}), createFakeLogin({storage: slow()})];
		const [url, other] = [await first.callback(), await second.callback()];
		const settled = await Promise.allSettled([
			first.login.finish(url),
			second.login.finish(other),
			first.login.finish(url),
		]);
		expect(settled).toMatchObject([
			{status: 'fulfilled'},
			{status: 'fulfilled'},
			{status: 'rejected', reason: {code: 'login_failed', message: over}},
		]);
		expect([first.server.requests.length, second.server.requests.length]).toEqual([1, 1]);
	});

	test('a login is finished once its storage works again', async () => {
		const {login, callback, storage, server} = createFakeLogin();
		const url = await callback();
		const {getItem} = storage;
		storage.getItem = () => {
			throw new Error('offline');
		};
		await expect(login.finish(url)).rejects.toMatchObject({code: 'login_failed', message: failed});
		storage.getItem = getItem;
		expect(await login.finish(url)).toHaveProperty('token');
		expect(server.requests).toHaveLength(1);
	});

	test('a login is not removed before it was read, by a storage whose answers overtake one another', async () => {
		const storage = createFakeStorage();
		const {getItem} = storage;
		storage.getItem = async key => {
			for (let turns = 0; turns < 10; turns++) await Promise.resolve();
			return getItem(key);
		};
		const {login, callback} = createFakeLogin({}, storage);
		expect(await login.finish(await callback())).toHaveProperty('token');
		expect(storage.entries.size).toBe(0);
	});

	test('a login that cannot be removed from its storage is not finished: it could be finished twice', async () => {
		const {login, callback, storage, server} = createFakeLogin();
		storage.removeItem = () => {
			throw new Error('read-only');
		};
		await expect(login.finish(await callback())).rejects.toMatchObject({code: 'login_failed', message: failed});
		expect(server.requests).toEqual([]);
	});

	test('a failed exchange is not tried again: the code may have been used', async () => {
		const {login, callback, server} = createFakeLogin();
		server.answer = () => new Response(null, {status: 503});
		const url = await callback();
		await expect(login.finish(url)).rejects.toMatchObject({status: 503});
		await expect(login.finish(url)).rejects.toMatchObject({code: 'login_failed'});
		expect(server.requests).toHaveLength(1);
	});

	test('several logins at once do not mix, in whatever order they come back', async () => {
		const {login, begin, server} = createFakeLogin();
		const states = [];
		for (const returnTo of ['/a', '/b', '/c']) states.push((await begin({returnTo})).get('state'));
		const ends = states
			.toReversed()
			.map(async (state, index) => login.finish(`/callback?code=${index}&state=${state}`));
		expect((await Promise.all(ends)).map(({returnTo}) => returnTo)).toEqual(['/c', '/b', '/a']);
		expect(new Set(server.requests.map(body => body.get('code_verifier'))).size).toBe(3);
	});

	test('a login that one window begins is finished by another, if both use one storage', async () => {
		const storage = createFakeStorage();
		const [page, popup] = [createFakeLogin({}, storage), createFakeLogin({}, storage)];
		expect(await popup.login.finish(await page.callback())).toHaveProperty('token');
		expect([page.server.requests.length, popup.server.requests.length]).toEqual([0, 1]);
		// Another app of the same server may use the same storage.
		const other = createFakeLogin({clientId: 'other'}, storage);
		const [mine, theirs] = [await page.callback(), await other.callback()];
		expect(await other.login.finish(theirs)).toHaveProperty('token');
		expect(await page.login.finish(mine)).toHaveProperty('token');
		expect(storage.entries.size).toBe(0);
	});

	test("another tab's state is refused", async () => {
		const [mine, theirs] = [createFakeLogin(), createFakeLogin()];
		await mine.begin();
		const url = await theirs.callback();
		await expect(mine.login.finish(url)).rejects.toMatchObject({code: 'login_failed', message: over});
		expect(mine.server.requests).toEqual([]);
		// The tab that began this login can still finish it.
		expect(await theirs.login.finish(url)).toHaveProperty('token');
	});

	test('a login of an hour ago is refused, and one of 59 minutes ago is not', async () => {
		const clock = createClock();
		const {login, callback} = createFakeLogin({now: clock.now});
		const [first, second] = [await callback(), await callback()];
		clock.advance(3540);
		await login.finish(first);
		clock.advance(60);
		await expect(login.finish(second)).rejects.toMatchObject({code: 'login_failed', message: over});
	});

	test.for([
		['no state', '/callback?code=c'],
		['an empty state', '/callback?code=c&state='],
		['a state that is a path', '/callback?code=c&state=../../secrets'],
		['a state with a line break', '/callback?code=c&state=1%0d%0aset-cookie:%20a'],
		['a state of nobody', '/callback?code=c&state=1-2-3-4'],
		['a state twice', '/callback?code=c&state=1-2-3-4&state=5-6-7-8'],
	] as const)('%s is refused', async ([what, url]) => {
		const {login, begin, storage, server} = createFakeLogin();
		await begin();
		await expect(login.finish(url)).rejects.toMatchObject({code: 'login_failed', message: over});
		// A state that is not in our format is not used as a storage key, either.
		expect(storage.log.filter(step => step !== 'set')).toEqual(what === 'a state of nobody' ? ['get'] : []);
		expect(server.requests).toEqual([]);
	});

	test.for([
		['no code', {code: undefined}],
		['an empty code', {code: ''}],
		['a second code', {}, '&code=code-of-mallory'],
		['a second state', {}, '&state=1-2-3-4'],
		['a second issuer', {}, '&iss=https://evil.example'],
		['an error twice', {code: undefined, error: 'access_denied'}, '&error=server_error'],
		['an empty code first', {code: ''}, '&code=code-of-mallory'],
		['a second code with an escaped name', {}, '&%63ode=code-of-mallory'],
		['a second description', {error: 'access_denied', error_description: 'a'}, '&error_description=b'],
		['a second page about the error', {error: 'access_denied', error_uri: 'a'}, '&error_uri=b'],
	] as const)(
		'an answer with %s is refused without a token request, and the login can still be finished',
		async ([, change, more = '']: readonly [string, Answer, string?]) => {
			const {login, callback, server} = createFakeLogin();
			const url = await callback(change);
			expect(login.isCallback(url + more)).toBe(false);
			await expect(login.finish(url + more)).rejects.toMatchObject({code: 'login_failed', message: over});
			expect(server.requests).toEqual([]);
			const right = new URL(url);
			right.searchParams.set('code', 'c');
			right.searchParams.delete('error');
			expect(await login.finish(right)).toHaveProperty('token');
		},
	);

	test.for([
		['an unknown parameter twice', {}, '&utm=1&utm=2'],
		['parameters whose names end like those of an answer', {}, '&session_state=1&session_state=2&my-code=1&my-code=2'],
		['the query of the redirect URI, with a name twice', {redirectUri: `${place.redirectUri}?tag=a&tag=b`}, ''],
	] as const)('an answer with %s is like any other', async ([, options, more]) => {
		const {login, begin} = createFakeLogin(options);
		const parameters = await begin();
		const url = new URL(parameters.get('redirect_uri') ?? '');
		url.searchParams.append('code', 'c');
		url.searchParams.append('state', parameters.get('state') ?? '');
		expect(login.isCallback(url.href + more)).toBe(true);
		expect(await login.finish(url.href + more)).toHaveProperty('token');
	});

	test.for(['', 'null', '42', '"text"', '[]', '{}', '{"tokenEndpoint":"https://as.example/token"}', '{'])(
		'a stored login that reads %j is refused',
		async text => {
			const {login, callback, storage, server} = createFakeLogin();
			const url = await callback();
			for (const key of storage.entries.keys()) storage.entries.set(key, text);
			const failure = login.finish(url);
			await expect(failure).rejects.toMatchObject({code: 'login_failed'});
			expect(server.requests).toEqual([]);
		},
	);

	test('a browser that gives a page no storage is told as one that fails', async () => {
		vi.stubGlobal('document', {});
		onTestFinished(() => void vi.unstubAllGlobals());
		const {sessionStorage} = Object.getOwnPropertyDescriptors(globalThis);
		Object.defineProperty(globalThis, 'sessionStorage', {
			configurable: true,
			get: () => {
				throw new DOMException('The operation is insecure', 'SecurityError');
			},
		});
		onTestFinished(() => {
			Reflect.deleteProperty(globalThis, 'sessionStorage');
			if (sessionStorage) Object.defineProperty(globalThis, 'sessionStorage', sessionStorage);
		});
		const {login} = createFakeLogin({storage: undefined});
		await expect(login.start()).rejects.toMatchObject({code: 'login_failed', message: failed});
		await expect(login.finish('/callback?code=c&state=1-2-3-4')).rejects.toMatchObject({
			code: 'login_failed',
			message: failed,
		});
	});

	test('a storage that fails is reported, without what it holds', async ({canaries}) => {
		const {login, callback, storage} = createFakeLogin();
		const url = await callback();
		canaries.plant(String(keptOf(storage)['code_verifier']));
		const {getItem} = storage;
		storage.getItem = async key => {
			throw new Error(String(await getItem(key)));
		};
		expect(await canaries.rejection(login.finish(url))).toMatchObject({code: 'login_failed', message: failed});
	});
});

describe('an answer of another server is refused', () => {
	test('a login that began at one server is not finished at another one, in a storage that both use', async () => {
		const storage = createFakeStorage();
		const mine = createFakeLogin({issuer: undefined}, storage);
		const other = createFakeLogin({issuer: undefined, tokenEndpoint: 'https://evil.example/token'}, storage);
		const url = await mine.callback({iss: undefined});
		await expect(other.login.finish(url)).rejects.toMatchObject({code: 'login_failed', message: over});
		expect(other.server.requests).toEqual([]);
	});

	test.for([
		['another issuer', {iss: 'https://evil.example'}, {}],
		['the issuer with a slash', {iss: 'https://as.example/'}, {}],
		['an error of another issuer', {iss: 'https://evil.example', error: 'access_denied'}, {}],
		['no issuer, though the server always names itself', {iss: undefined}, {named: true}],
		['an empty issuer, though the server always names itself', {iss: ''}, {named: true}],
		['an empty issuer', {iss: ''}, {}],
	] as const)(
		'%s: the code goes nowhere [RFC 9207]',
		async ([, answer, {named}]: readonly [string, Answer, {named?: boolean}]) => {
			const metadata = {authorization_response_iss_parameter_supported: named};
			const {login, callback, server} = createFakeLogin({metadata});
			await expect(login.finish(await callback(answer))).rejects.toMatchObject({
				code: 'login_failed',
				message: 'Another server has answered: begin another login',
			});
			expect(server.requests).toEqual([]);
		},
	);

	test.for([
		['a server that does not say whether it names itself', {iss: undefined}, {}],
		['a login that knows no issuer', {iss: 'https://any.example'}, {issuer: undefined}],
	] as const)(
		'a login is finished if %s',
		async ([, answer, options]: readonly [string, Answer, Partial<LoginOptions>]) => {
			const {login, callback} = createFakeLogin(options);
			expect(await login.finish(await callback(answer))).toHaveProperty('token');
		},
	);
});

describe('an error of the authorization server', () => {
	test('an error of the authorization server arrives as an OAuthError, without a token request', async () => {
		const {login, callback, server, storage} = createFakeLogin();
		const url = await callback({
			code: undefined,
			error: 'access_denied',
			error_description: 'Ann said no',
			error_uri: 'https://as.example/why',
		});
		await expect(login.finish(url)).rejects.toMatchObject({
			name: 'OAuthError',
			code: 'oauth_error',
			message: 'Refused: access_denied',
			error: 'access_denied',
			error_description: 'Ann said no',
			error_uri: 'https://as.example/why',
			status: 0,
			retryable: false,
		});
		expect(server.requests).toEqual([]);
		expect(storage.entries.size).toBe(0);
	});

	test.for([
		['temporarily_unavailable', true],
		['server_error', true],
		['login_required', false],
	] as const)('%s may be tried again: %s', async ([error, retryable]) => {
		const {login, callback} = createFakeLogin();
		await expect(login.finish(await callback({code: undefined, error}))).rejects.toMatchObject({error, retryable});
	});

	test('an error wins over a code in the same URL', async () => {
		const {login, callback, server} = createFakeLogin();
		await expect(login.finish(await callback({error: 'access_denied'}))).rejects.toMatchObject({
			error: 'access_denied',
		});
		expect(server.requests).toEqual([]);
	});

	test('an error is ignored if it comes with an unknown state', async () => {
		const {login, begin} = createFakeLogin();
		await begin();
		const url = '/callback?error=call_this_number&error_description=0900-4711&state=1-2-3-4';
		await expect(login.finish(url)).rejects.toMatchObject({code: 'login_failed', message: over});
	});

	test('an error of the authorization server is cleaned, whatever it says', async ({annotate}) => {
		const property = fc.asyncProperty(
			hostileText,
			hostileText,
			hostileText,
			async (error, error_description, error_uri) => {
				const {login, callback} = createFakeLogin();
				const url = await callback({code: undefined, error: `e${error}`, error_description, error_uri});
				const reason = await reasonOf(login.finish(url));
				const {message, ...facts} = reason as Record<string, string>;
				expect(isRegrantError(reason)).toBe(true);
				for (const text of [message, facts['error'], facts['error_description'] ?? '', facts['error_uri'] ?? '']) {
					expect(text).toMatch(/^[ -~]*$/);
				}
			},
		);
		await holds(property, {annotate});
	});
});

describe('the ID token', () => {
	const clock = createClock();
	const right = (nonce: unknown): Record<string, unknown> => ({
		iss: place.issuer,
		sub: 'ann',
		aud: place.clientId,
		exp: clock.seconds() + 3600,
		iat: clock.seconds(),
		nonce,
		name: 'Änn 🚀',
	});

	/** The result of a login whose ID token has these claims. */
	const finishWith = async (
		change: Readonly<Record<string, unknown>>,
		options: Partial<LoginOptions> = {},
	): Promise<string | Record<string, unknown> | undefined> => {
		const {login, callback, server, storage} = createFakeLogin({scope: 'openid', now: clock.now, ...options});
		const url = await callback();
		const {nonce} = keptOf(storage);
		server.answer = () => ({access_token: 'at', id_token: idTokenOf({...right(nonce), ...change})});
		try {
			return (await login.finish(url)).claims;
		} catch (error) {
			return (error as Error).message;
		}
	};

	test('the ID token gives its claims', async () => {
		expect(await finishWith({})).toMatchObject({sub: 'ann', name: 'Änn 🚀'});
	});

	test.for([
		['several audiences with azp', {aud: ['app', 'api'], azp: 'app'}],
		['a list of one audience', {aud: ['app']}],
		['azp beside one audience', {azp: 'app'}],
		['a clock of the server that is four minutes behind', {exp: clock.seconds() - 240}],
		['a time of issue that is yet to come, by the clock of the user', {iat: clock.seconds() + 86_400}],
		['no azp, as null', {azp: null}],
	] as const)('the ID token may have %s', async ([, change]) => {
		expect(await finishWith(change)).toMatchObject({sub: 'ann'});
	});

	test.for([
		['another issuer', {iss: 'https://evil.example'}, 'iss'],
		['no issuer', {iss: undefined}, 'iss'],
		['another audience', {aud: 'other'}, 'aud'],
		['no audience', {aud: undefined}, 'aud'],
		['several audiences without azp', {aud: ['app', 'api']}, 'azp'],
		['several audiences, another one in azp', {aud: ['app', 'api'], azp: 'api'}, 'azp'],
		['an audience list that reads like the client', {aud: [['app']]}, 'aud'],
		['another client in azp', {azp: 'other'}, 'azp'],
		['a time that is over', {exp: clock.seconds() - 301}, 'exp'],
		['no expiry', {exp: undefined}, 'exp'],
		['an expiry that is no number', {exp: 'tomorrow'}, 'exp'],
		['an expiry that is a record', {exp: {}}, 'exp'],
		['no time of issue', {iat: undefined}, 'iat'],
		['a time of issue that is no number', {iat: 'now'}, 'iat'],
		['no user', {sub: undefined}, 'sub'],
		['a user that is no text', {sub: 42}, 'sub'],
		['an empty user', {sub: ''}, 'sub'],
		['another nonce', {nonce: '1-2-3-4'}, 'nonce'],
		['no nonce', {nonce: undefined}, 'nonce'],
	] as const)('the ID token is refused with %s', async ([, change, name]) => {
		expect(await finishWith(change)).toBe(`No ID token with the right ${name}: begin another login`);
	});

	test('the ID token is refused if the user signed in longer ago than max_age allows', async () => {
		const options = {parameters: {max_age: '60'}};
		expect(await finishWith({auth_time: clock.seconds() - 300}, options)).toMatchObject({sub: 'ann'});
		const failure = 'No ID token with the right auth_time: begin another login';
		expect(await finishWith({auth_time: clock.seconds() - 361}, options)).toBe(failure);
		expect(await finishWith({}, options)).toBe(failure);
	});

	test.for([
		undefined,
		'',
		'x',
		'a.b.c',
		'a.!.c',
		`a.${btoa('null')}.c`,
		`a.${btoa('[]')}.c`,
		`a.${btoa('{"iss":')}.c`,
		idTokenOf({['__proto__']: right('x')}),
		42,
		{},
	])('the ID token is refused if it is %j', async id_token => {
		const {login, callback, server} = createFakeLogin({scope: 'openid'});
		const url = await callback();
		server.answer = () => ({access_token: 'at', id_token});
		await expect(login.finish(url)).rejects.toMatchObject({
			code: 'login_failed',
			message: 'No ID token with the right iss: begin another login',
		});
	});

	test('the ID token is not checked for the time of a login whose max_age is left out', async () => {
		expect(await finishWith({}, {parameters: {max_age: ''}})).toMatchObject({sub: 'ann'});
		expect(await finishWith({}, {parameters: {max_age: '0'}})).toBe(
			'No ID token with the right auth_time: begin another login',
		);
	});

	test('no error shows the ID token', async ({canaries}) => {
		const {login, callback, server} = createFakeLogin({scope: 'openid'});
		const id_token = idTokenOf({sub: 'ann-the-user-of-the-login', iss: 'https://evil.example'});
		canaries.plant(id_token.split('.')[1] ?? '');
		canaries.plant('ann-the-user-of-the-login');
		server.answer = () => ({access_token: 'at', id_token});
		await canaries.rejection(login.finish(await callback()));
	});
});

describe('logoutUrl', () => {
	test.for([
		[undefined, {client_id: 'app'}],
		[{}, {client_id: 'app'}],
		[{idToken: 'i.d.t'}, {client_id: 'app', id_token_hint: 'i.d.t'}],
		[{returnTo: '/bye'}, {client_id: 'app', post_logout_redirect_uri: 'https://app.example/bye'}],
		[{returnTo: 'https://www.example'}, {client_id: 'app', post_logout_redirect_uri: 'https://www.example'}],
		// The server does not know this URL, so it redirects nobody there. The URL must not become another one, either.
		[{returnTo: '//evil.example'}, {client_id: 'app', post_logout_redirect_uri: '//evil.example'}],
	] as const)('logoutUrl with %j asks the server to log out', ([options, parameters]) => {
		const url = new URL(createFakeLogin().login.logoutUrl(options));
		expect(url.origin + url.pathname).toBe(place.endSessionEndpoint);
		expect(Object.fromEntries(url.searchParams)).toEqual(parameters);
	});

	test('logoutUrl says if the server has no logout', () => {
		const {login} = createFakeLogin({endSessionEndpoint: undefined});
		expect(() => login.logoutUrl()).toThrow('endSessionEndpoint is required');
	});
});

describe('an unknown option', () => {
	test.for([
		['prompt', 'none'],
		['redirectUri', place.redirectUri],
	] as const)('start refuses the unknown option %s', async ([name, value]) => {
		await expect(createFakeLogin().begin({[name]: value})).rejects.toMatchObject({
			code: 'invalid_options',
			message: `${name} is not an option`,
		});
	});

	test.for([
		['id_token', 'i.d.t'],
		['post_logout_redirect_uri', '/'],
	] as const)('logoutUrl refuses the unknown option %s', ([name, value]) => {
		const options: object = {[name]: value};
		expect(() => createFakeLogin().login.logoutUrl(options)).toThrow(
			expect.objectContaining({code: 'invalid_options', message: `${name} is not an option`}),
		);
	});
});

describe('createLogin refuses', () => {
	test.for([
		[{authorizationEndpoint: undefined}, 'authorizationEndpoint is required'],
		[{redirectUri: undefined}, 'redirectUri is required'],
		[{clientId: undefined}, 'clientId is required'],
		[{tokenEndpoint: undefined}, 'tokenEndpoint is required'],
		[{storage: undefined}, 'storage is required: like sessionStorage'],
		[{storage: 'session'}, 'storage must be like sessionStorage'],
		[{parameters: 'x'}, 'parameters must be an object'],
		[{parameters: () => ({})}, 'parameters must be an object'],
		[{authorizationEndpoint: 'http://as.example/a'}, 'authorizationEndpoint must be an https URL'],
		[{endSessionEndpoint: 'javascript:0'}, 'endSessionEndpoint must be an https URL'],
		[{redirectUri: '/callback'}, 'redirectUri must be an https URL'],
		[{redirectUri: 'http://app.example/callback'}, 'redirectUri must be an https URL'],
		[{redirectUri: 'https://app.example/#callback'}, 'redirectUri must be an https URL'],
		[{issuer: 42}, 'issuer must be printable ASCII'],
		[{clientSecret: 'x'}, 'clientSecret is not an option: use clientAuthentication'],
		[{returnTo: '/'}, 'returnTo is not an option'],
	] as const)('createLogin refuses %j', ([change, message]) => {
		const given = {...place, storage: createFakeStorage(), ...change} as unknown as LoginOptions;
		expect(() => createLogin(given)).toThrow(expect.objectContaining({code: 'invalid_options'}));
		expect(() => createLogin(given)).toThrow(message);
	});

	test.for([
		['null', null],
		['an empty object', {}],
		['a Map', new Map()],
		['one without removeItem', {getItem() {}, setItem() {}}],
		['one without setItem', {getItem() {}, removeItem() {}}],
		['one without getItem', {setItem() {}, removeItem() {}}],
	] as const)('createLogin refuses a storage that is %s', ([, storage]) => {
		expect(() => createLogin({...place, storage} as unknown as LoginOptions)).toThrow(
			expect.objectContaining({
				code: 'invalid_options',
				message: 'storage must be like sessionStorage',
			}),
		);
	});

	test('createLogin accepts a storage that inherits its members, as those of browsers do', async () => {
		const {login, callback} = createFakeLogin({storage: Object.create(createFakeStorage()) as LoginStorage});
		expect(await login.finish(await callback())).toHaveProperty('token');
	});

	test('createLogin accepts http for a server in allowInsecureOrigins', async () => {
		const options = {
			issuer: 'http://keycloak:8080/realms/a',
			tokenEndpoint: 'http://keycloak:8080/token',
			authorizationEndpoint: 'http://keycloak:8080/authorize',
			redirectUri: 'http://app:3000/callback',
			allowInsecureOrigins: ['http://keycloak:8080', 'http://app:3000'],
		};
		expect((await createFakeLogin(options).begin()).get('redirect_uri')).toBe('http://app:3000/callback');
	});
});
