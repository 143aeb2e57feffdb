import * as fc from 'fast-check';
import ky from 'ky';
import {describe, expect} from 'vitest';
import {
	type AuthTokenRequest,
	ConfigError,
	isRegrantError,
	OAuthError,
	type TokenClient,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	customStore,
	none,
	requestToken,
	revokeToken,
} from '../../src/index.ts';
import {followRedirects} from '../../src/fetch/redirect.ts';
import {createCanaries} from '../support/canaries.ts';
import {
	cleaned,
	decodeForm,
	decodeFormText,
	digitsOf,
	isAccessToken,
	isCredential,
	isScope,
} from '../support/grammar.ts';
import {holds, hostileText, mostly, spoiled} from '../support/property.ts';
import {test} from '../support/test.ts';

const endpoints = {tokenEndpoint: 'https://as.example/token', revocationEndpoint: 'https://as.example/revoke'};
const granting = {grant_type: 'client_credentials', scope: '/accounts.read'} as const;
const bearer = {access_token: 'at', token_type: 'Bearer'};

/** Random text around a mark that no message contains by chance. */
const marked = (mark: string, text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
	fc.tuple(text, text).map(([before, after]) => `${before}${mark}${after}`);

const range = (first: number, last: number): string[] =>
	Array.from({length: last - first + 1}, (_, index) => String.fromCharCode(first + index));

const credentialText = fc.string({unit: fc.constantFrom(...range(0x20, 0x7e)), maxLength: 12});
const scopeToken = fc.string({
	unit: fc.constantFrom(...range(0x21, 0x7e).filter(character => character !== '"' && character !== '\\')),
	minLength: 1,
	maxLength: 8,
});
const scopeText = fc.array(scopeToken, {minLength: 1, maxLength: 3}).map(tokens => tokens.join(' '));

describe('credentials, tokens and scopes [R2, R10, R12, R94]', () => {
	const marks = {clientId: 'Mark-Id-4q', secret: 'Mark-Se-7w', scope: 'Mark-Sc-2x', token: 'Mark-To-9z'};
	const credential = (mark: string): fc.Arbitrary<string> =>
		fc.oneof({weight: 9, arbitrary: marked(mark, mostly(credentialText))}, {weight: 1, arbitrary: fc.constant('')});

	const given = fc.record({
		clientId: credential(marks.clientId),
		secret: credential(marks.secret),
		token: credential(marks.token),
		scope: fc.option(mostly(scopeText.map(text => `${marks.scope} ${text}`)), {nil: undefined, freq: 6}),
		method: fc.constantFrom('basic', 'raw', 'post', 'body', 'none'),
		encoding: fc.constantFrom('form', 'json'),
		kind: fc.constantFrom('client_credentials', 'refresh_token', 'revocation'),
	});
	type Given = typeof given extends fc.Arbitrary<infer Value> ? Value : never;

	/** The reference for comparison: whether the RFCs allow all of these values to be sent. */
	function isSendable({clientId, secret, token, scope, method, kind}: Given): boolean {
		const isSecretRight = isCredential(secret) || (method === 'body' && secret === '');
		const isIdRight = isCredential(clientId) && !(method === 'raw' && clientId.includes(':'));
		const isScopeRight = scope === undefined ? kind !== 'client_credentials' : isScope(scope);
		const isTokenRight = kind === 'client_credentials' || isCredential(token);
		return isIdRight && isTokenRight && (method === 'none' || isSecretRight) && (kind === 'revocation' || isScopeRight);
	}

	/** Sends the request, and returns what an independent parser reads on the server's side. */
	async function exchange({clientId, secret, token, scope, method, encoding, kind}: Given): Promise<unknown[]> {
		const read: unknown[] = [];
		const methods = {
			basic: () => clientSecretBasic(secret),
			raw: () => clientSecretBasic(secret, {encoding: 'raw'}),
			post: () => clientSecretPost(secret),
			body: none,
			none,
		};
		const client: TokenClient = {
			...endpoints,
			clientId,
			encoding,
			clientAuthentication: methods[method](),
			fetch: async (input, init) => {
				const request = new Request(input, init);
				const body = await request.text();
				const fields = encoding === 'json' ? (JSON.parse(body) as object) : decodeForm(body);
				read.push({...fields, ...readBasic(request.headers.get('authorization'), method === 'raw')});
				return Response.json(bearer);
			},
		};
		const proof = method === 'body' ? {client_secret: secret} : {};
		await (kind === 'revocation'
			? revokeToken(client, {token, ...proof})
			: requestToken(client, requestOf(kind, token, scope, proof)));
		return read;
	}

	const requestOf = (kind: string, token: string, scope: string | undefined, proof: object): AuthTokenRequest => {
		const fields = kind === 'refresh_token' ? {refresh_token: token, scope} : {scope};
		return {grant_type: kind, ...fields, ...proof} as AuthTokenRequest; // the tests pass invalid requests, too
	};

	function readBasic(authorization: string | null, isRaw: boolean): object {
		if (authorization === null) return {};
		const [scheme, credentials = ''] = authorization.split(' ');
		const text = Buffer.from(credentials, 'base64').toString('latin1');
		const [id = '', ...rest] = text.split(':');
		const decode = isRaw ? String : decodeFormText;
		return {scheme, client_id: decode(id), client_secret: decode(rest.join(':'))};
	}

	function expectedOf({clientId, secret, token, scope, method, kind}: Given): object {
		const fields: Record<string, string | undefined> = {
			client_id: clientId,
			client_secret: method === 'none' ? '' : secret,
			scheme: method === 'basic' || method === 'raw' ? 'Basic' : '',
			grant_type: kind === 'revocation' ? '' : kind,
			scope: kind === 'revocation' ? '' : scope,
			refresh_token: kind === 'refresh_token' ? token : '',
			token: kind === 'revocation' ? token : '',
		};
		return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
	}

	test('credentials, tokens and scopes arrive unchanged, or are refused before anything is sent and never shown', async ({
		annotate,
	}) => {
		await holds(
			fc.asyncProperty(given, async values => {
				const canaries = createCanaries();
				for (const mark of Object.values(marks)) canaries.plant(mark);
				if (isSendable(values)) {
					expect(await exchange(values)).toEqual([expectedOf(values)]);
				} else {
					const error = await canaries.rejection(exchange(values));
					expect(error).toBeInstanceOf(ConfigError);
					expect(error).not.toHaveProperty('cause');
				}
				canaries.scan();
			}),
			{annotate},
		);
	});
});

describe('the words of a server [R36, R93]', () => {
	test('the words of a server are cleaned and cut, and are in no message', async ({annotate}) => {
		// fast-check shrinks only the two ends. It would take too long to shrink a text of a thousand characters.
		const long = fc
			.tuple(hostileText, fc.constantFrom(120, 128, 1000, 1024), hostileText)
			.map(([before, length, after]) => `${before}${'x'.repeat(length)}${after}`);
		const text = fc.oneof(hostileText, long);
		// An empty error code counts as no error code. [R36]
		const words = fc.record({error: text.filter(Boolean), error_description: text, error_uri: text});
		await holds(
			fc.asyncProperty(words, fc.constantFrom(200, 400, 401, 503), async (body, status) => {
				const fail = async (answer: object): Promise<unknown> => {
					const fetch = async (): Promise<Response> => new Response(JSON.stringify(answer), {status});
					return requestToken({...endpoints, clientId: 'client', fetch}, granting).catch((reason: unknown) => reason);
				};
				const error = await fail(body);
				expect(error).toBeInstanceOf(OAuthError);
				expect(error).toMatchObject({
					status,
					error: cleaned(body.error, 128, 'error'),
					error_description: cleaned(body.error_description, 1024, 'description'),
					error_uri: cleaned(body.error_uri, 1024, 'uri'),
					message: ((await fail({error: cleaned(body.error, 128, 'error')})) as Error).message,
				});
			}),
			{annotate},
		);
	});

	test('the words of a server show no secret of a session, however they spell it', async ({annotate}) => {
		const mark = 'Mark-Zz-5k';
		const secretText = fc.tuple(fc.string({unit: 'grapheme-ascii', maxLength: 5}), credentialText);
		const secret = secretText.map(([before, after]) => `${before}${mark}${after}`);
		const spelling = fc.constantFrom<(text: string) => string>(
			String,
			encodeURIComponent,
			text => new URLSearchParams({'': text}).toString().slice(1),
			text => JSON.stringify(text).slice(1, -1),
			text => encodeURIComponent(encodeURIComponent(text)),
			text => text.replace(/\W/g, character => `&#${character.charCodeAt(0)};`),
			text => text.replace(/\W/g, character => `\\u00${character.charCodeAt(0).toString(16)}`),
		);
		const place = fc.constantFrom<(text: string) => Response>(
			text => Response.json({error: text}, {status: 400}),
			text => Response.json({error: 'invalid_grant', error_description: text}, {status: 400}),
			text => Response.json({error: 'a', error_uri: text, error_description: text}, {status: 503}),
			text => Response.json({error: 'a', [text]: text}, {status: 422}),
			text => Response.json({token_type: text, access_token: text}),
			text => Response.json({...bearer, refresh_token: `${text}\n`}),
			text => new Response(`<p>${text}`, {headers: {'content-type': 'text/html'}}),
			text => new Response(`{"access_token":${text}`),
			text => new Response(new URLSearchParams({error: text, error_description: text}), {status: 401}),
		);
		await holds(
			fc.asyncProperty(
				fc.record({client: secret, refresh: secret, access: scopeToken, spelling, place, before: hostileText}),
				fc.constantFrom('client', 'refresh'),
				async ({client, refresh, access, spelling, place, before}, shown) => {
					const canaries = createCanaries();
					canaries.plant(mark);
					const auth = createAuth({
						...endpoints,
						clientId: 'client',
						clientAuthentication: clientSecretPost(client),
						fetch: async () => place(`${before}${spelling({client, refresh}[shown])}`),
					});
					auth.subscribe(canaries.see);
					await auth
						.setToken({
							access_token: isAccessToken(access) ? access : 'at',
							token_type: 'Bearer',
							refresh_token: refresh,
						})
						.catch(canaries.see);
					await auth.refresh().catch(canaries.see);
					await auth.getToken().catch(canaries.see);
					await auth.signOut().catch(canaries.see);
					canaries.scan();
				},
			),
			{annotate},
		);
	});
});

describe('a stored record [R77, F-89]', () => {
	const held = {...bearer, refresh_token: 'rt', scope: 'a', expires_at: 2_000_000_000, issued_at: 1_000_000_000};
	const value = fc.oneof(
		fc.jsonValue({maxDepth: 1}),
		marked('Mark-Re-8b', hostileText),
		spoiled(fc.constantFrom(...Object.values(held).map(String))),
		fc.constantFrom<unknown>(undefined, Number.NaN, 1e308),
	);
	const record = fc
		.record(Object.fromEntries([...Object.keys(held), '__proto__', 'constructor'].map(name => [name, value])), {
			requiredKeys: [],
		})
		.map(fields => ({...held, ...fields}));

	const isOptionalText = (text: unknown): text is string | null | undefined =>
		text === undefined || text === null || typeof text === 'string';
	const isScopeOrScopes = (scope: unknown): boolean =>
		Array.isArray(scope) ? scope.every(item => typeof item === 'string') : isOptionalText(scope);
	const isTime = (time: unknown): boolean =>
		Number.isSafeInteger(time) && Number(time) >= 0 && Number(time) < 253_402_300_800;

	/** The reference for comparison: whether the value is a token. */
	function isToken(given: unknown): boolean {
		if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
		const {access_token, token_type, refresh_token, scope, issued_at} = given as Record<string, unknown>;
		if (typeof access_token !== 'string' || !isAccessToken(access_token)) return false;
		if (!isOptionalText(token_type) || (token_type || 'bearer').toLowerCase() !== 'bearer') return false;
		if (!isOptionalText(refresh_token) || !isScopeOrScopes(scope)) return false;
		return (!refresh_token || isCredential(refresh_token)) && isTime(issued_at);
	}

	test('a stored record is a token, or counts as absent and is reported without its text', async ({annotate}) => {
		await holds(
			fc.asyncProperty(fc.oneof({weight: 4, arbitrary: record}, {weight: 1, arbitrary: value}), async given => {
				const canaries = createCanaries();
				canaries.plant('Mark-Re-8b');
				const reported: unknown[] = [];
				const auth = createAuth({
					...endpoints,
					clientId: 'client',
					now: () => 1_500_000_000_000,
					store: customStore({get: () => given, set: () => {}, delete: () => {}}),
					fetch: async () => new Response(null, {status: 503}),
				});
				auth.subscribe(event => {
					canaries.see(event);
					if (event.type === 'store-failed') reported.push(event.error.code);
				});
				const token = await auth.getToken().catch((error: unknown) => {
					expect(isRegrantError(canaries.see(error))).toBe(true);
				});
				const isAbsent = given === undefined || given === null;
				expect(reported).toEqual(isAbsent || isToken(given) ? [] : ['store_corrupt']);
				if (token) expect(token.access_token).toBe(Object(given)['access_token']);
				canaries.scan();
			}),
			{annotate},
		);
	});
});

/** A host in some spelling, and whether it is a loopback host. */
const host = fc.constantFrom<readonly [text: string, isLoopback: boolean]>(
	...(
		[
			'localhost',
			'LOCALHOST',
			'a.localhost',
			'a.b.LocalHost',
			'127.0.0.1',
			'127.255.255.254',
			'127.1',
			'0x7f.1',
			'2130706433',
			'[::1]',
		] as const
	).map(text => [text, true] as const),
	...[
		'as.example',
		'not-localhost',
		'a.localhost.example',
		'a.not-localhost',
		'localhost.example',
		'127.0.0.1.example',
		'0.0.0.0',
		'192.168.0.2',
		'[::]',
		'[::ffff:7f00:1]',
	].map(text => [text, false] as const),
	...['xn--80ak6aa92e.example', 'localhost.', 'local\u00ADhost.example', '128.0.0.1', 'ⓔ.example'].map(
		text => [text, false] as const,
	),
);

describe('the URL of an endpoint [R8, R9, F-116]', () => {
	const mostlyOf = (right: readonly string[], wrong: readonly string[]): fc.Arbitrary<string> =>
		fc.oneof({weight: 8, arbitrary: fc.constantFrom(...right)}, {weight: 1, arbitrary: fc.constantFrom(...wrong)});
	const parts = fc.record({
		space: fc.constantFrom('', ' ', '\n', '\t '),
		scheme: mostlyOf(['https', 'HTTPS', 'http', 'ht\ntp'], ['ftp', 'ws', 'wss', 'file', 'blob:https', 'javascript']),
		slashes: fc.constantFrom('://', ':/', ':\\\\', ':'),
		user: mostlyOf(['', '@'], ['user@', 'user:canary-pass@', ':canary-pass@']),
		host,
		port: mostlyOf(['', ':8443', ':'], [':65536', ':canary-port']),
		path: fc.constantFrom('', '/', '/token', '/a/../token', '/%2e%2e/t', '/a b', '\\t', '/t?q=a', '?q=a', '/é'),
		fragment: mostlyOf([''], ['#', '#canary-part']),
	});

	test('the URL of an endpoint is https or of this machine, has no user and no fragment, and is used unchanged', async ({
		annotate,
	}) => {
		await holds(
			fc.asyncProperty(parts, fc.constantFrom('tokenEndpoint', 'revocationEndpoint'), async (given, name) => {
				const {space, scheme, slashes, user, host, port, path, fragment} = given;
				const text = `${space}${scheme}${slashes}${user}${host[0]}${port}${path}${fragment}${space}`;
				const plain = scheme.replace('\n', '').toLowerCase();
				const isSafe = plain === 'https' || (plain === 'http' && host[1]);
				const isWhole = ['', '@'].includes(user) && ['', ':8443', ':'].includes(port) && fragment === '';
				const asked: string[] = [];
				const client = {
					...endpoints,
					[name]: text,
					clientId: 'client',
					fetch: async (input: RequestInfo | URL) => {
						asked.push(new Request(input).url);
						return Response.json(bearer);
					},
				};
				const exchange = async (): Promise<unknown> =>
					name === 'tokenEndpoint' ? requestToken(client, granting) : revokeToken(client, {token: 'rt'});
				if (isSafe && isWhole) {
					await exchange();
					const [url = ''] = asked;
					expect(new URL(url).protocol).toBe(`${plain}:`);
					expect(url).toBe(new URL(text).href);
					return;
				}
				const canaries = createCanaries();
				for (const mark of ['canary-pass', 'canary-port', 'canary-part']) canaries.plant(mark);
				expect(await canaries.rejection(exchange())).toBeInstanceOf(ConfigError);
				expect(asked).toEqual([]);
				canaries.scan();
			}),
			{annotate},
		);
	});

	test('any other text is refused as the URL of an endpoint, and the error does not hold it', async ({annotate}) => {
		await holds(
			fc.asyncProperty(
				marked('Mark-Ur-3v', hostileText),
				fc.constantFrom('', 'https://as.example/'),
				async (text, begin) => {
					const canaries = createCanaries();
					canaries.plant('Mark-Ur-3v');
					const asked: URL[] = [];
					const fetch = async (input: RequestInfo | URL): Promise<Response> => {
						asked.push(new URL(new Request(input).url));
						return Response.json(bearer);
					};
					const client = {tokenEndpoint: `${begin}${text}`, clientId: 'client', fetch};
					const error = await requestToken(client, granting).then(
						() => undefined,
						(reason: unknown) => canaries.see(reason),
					);
					if (error === undefined)
						expect(asked).toMatchObject([{protocol: 'https:', username: '', password: '', hash: ''}]);
					else expect([error instanceof ConfigError, asked.length]).toEqual([true, 0]);
					canaries.scan();
				},
			),
			{annotate},
		);
	});
});

describe('the target of a call [R40, R41]', () => {
	const origins = ['https://api.example', 'http://127.0.0.1:3000', 'https://api.example:8443'];
	const piece = fc.constantFrom(
		...String.raw`/ // /\ \\ \ : @ . .. %2f %2F%2F ? # ; https: http: HTTPS:// data: user :8443 :443`.split(' '),
		...'api.example evil.example .evil.example 127.0.0.1:3000 localhost accounts 。 é ａpi.example'.split(' '),
		'\t',
		'\n',
		' ',
	);
	const target = fc.array(piece, {maxLength: 6}).map(parts => parts.join(''));
	const begin = fc.constantFrom(
		'',
		...origins,
		'https://api.example@evil.example',
		'https://evil.example/https://api.example',
	);

	/** The requests that a call sends: their origin as the platform parses it, and their `Authorization` header. */
	async function sentBy(
		call: (send: (request: Request) => Promise<Response>) => PromiseLike<unknown>,
	): Promise<readonly (readonly [origin: string, authorization: string | null])[]> {
		const sent: (readonly [string, string | null])[] = [];
		await Promise.resolve(
			call(async request => {
				sent.push([new URL(request.url).origin, request.headers.get('authorization')]);
				return new Response();
			}),
		).catch((error: unknown) => {
			// The URL is not valid, or the platform does not fetch it. In both cases, nothing was sent.
			expect(sent).toEqual([]);
			expect(error).toBeInstanceOf(Error);
		});
		return sent;
	}

	async function signedIn(given: readonly string[] | undefined): Promise<ReturnType<typeof createAuth>> {
		const auth = createAuth({...endpoints, clientId: 'client', origins: given});
		await auth.setToken(bearer);
		return auth;
	}

	test('a call by ky gets the token only if its origin is listed', async ({annotate}) => {
		await holds(
			fc.asyncProperty(begin, target, fc.subarray(origins, {minLength: 1}), async (first, rest, listed) => {
				const auth = await signedIn(listed);
				const sent = await sentBy(async fetch => {
					const options = {hooks: auth.hooks, retry: 0, fetch: async (request: unknown) => fetch(request as Request)};
					return ky.create({baseUrl: 'https://api.example/v1/', ...options})(`${first}${rest}`);
				});
				for (const [origin, authorization] of sent) {
					expect(authorization).toBe(listed.includes(origin) ? 'Bearer at' : null);
				}
			}),
			{annotate},
		);
	});

	test('a call by ky without origins gets the token only if it goes to the origin of baseUrl', async ({annotate}) => {
		await holds(
			fc.asyncProperty(fc.constantFrom(...origins), begin, target, async (base, first, rest) => {
				const auth = await signedIn(undefined);
				const sent = await sentBy(async fetch => {
					const options = {hooks: auth.hooks, retry: 0, fetch: async (request: unknown) => fetch(request as Request)};
					return ky.create({baseUrl: `${base}/v1/`, ...options})(`${first}${rest}`);
				});
				for (const [origin, authorization] of sent) expect(authorization).toBe(origin === base ? 'Bearer at' : null);
			}),
			{annotate},
		);
	});
});

describe('a chain of redirects [R42, R43]', () => {
	const location = fc
		.array(
			fc.constantFrom(
				...String.raw`/ // \\ : @ .. ? # % é ÿ https:// http:// ftp: data:, javascript: :0 [ ]`.split(' '),
				...'api.example evil.example api.example:8443 user:canary-pass@'.split(' '),
				' ',
				'\t',
			),
			{maxLength: 6},
		)
		.map(parts => parts.join(''));
	const hop = fc.record({status: fc.constantFrom(300, 301, 302, 303, 304, 307, 308, 200, 401), location});
	const secrets = {authorization: 'Bearer at', cookie: 'a=b', 'proxy-authorization': 'Basic YTpi', dpop: 'proof'};

	test('a chain of redirects never carries a credential to another origin, nor back, and ends', async ({annotate}) => {
		const hops = fc.oneof(
			fc.array(hop, {minLength: 1, maxLength: 30}),
			// These chains are longer than any platform follows.
			fc.array(
				hop.map(({status}) => ({status: 301 + (status % 3), location: '/next'})),
				{minLength: 19, maxLength: 23},
			),
		);
		await holds(
			fc.asyncProperty(
				hops,
				fc.constantFrom('GET', 'POST', 'PUT', 'HEAD'),
				fc.boolean(),
				async (chain, method, isStream) => {
					const canaries = createCanaries();
					canaries.plant('canary-pass');
					const body = ['GET', 'HEAD'].includes(method) ? null : isStream ? new Blob(['body']).stream() : 'body';
					const init = {method, headers: secrets, body, duplex: 'half'};
					const sent: Request[] = [];
					const send = async (request: Request): Promise<Response> => {
						const {status, location} = chain[sent.push(request) - 1] ?? {status: 200, location: ''};
						return new Response(null, {status, headers: {location}});
					};
					await followRedirects(send, new Request('https://api.example/a', init), isStream ? undefined : null).catch(
						(error: unknown) => {
							expect(canaries.see(error)).toMatchObject({name: 'TypeError', message: 'fetch failed'});
						},
					);
					canaries.scan();
					const left = sent.findIndex(({url}) => new URL(url).origin !== 'https://api.example');
					for (const [index, {headers, redirect, url}] of sent.entries()) {
						const isHome = left === -1 || index < left;
						for (const [name, value] of Object.entries(secrets)) expect(headers.get(name)).toBe(isHome ? value : null);
						expect(redirect).toBe('manual');
						expect(url).toMatch(/^https?:/);
					}
					expect(sent.length).toBeLessThanOrEqual(21);
				},
			),
			{annotate},
		);
	});
});

describe('the time of expiry [R24, R25, R27]', () => {
	/** A number as JSON spells it, and its value rounded down. It has so few digits that a double holds it exactly. */
	const spelled = fc
		.record({
			sign: fc.constantFrom('', '', '-'),
			whole: fc.bigInt({min: 0n, max: 999_999_999_999n}),
			fraction: fc.constantFrom('', '.0', '.5', '.999'),
			exponent: fc.constantFrom('', 'e0', 'E+2', 'e3', 'e-2', 'e300', 'e-300'),
		})
		.map(({sign, whole, fraction, exponent}) => {
			const power = Number(exponent.slice(1) || '0');
			const digits = BigInt(`${whole}${fraction.slice(1)}`);
			const scale = power - Math.max(fraction.length - 1, 0);
			const size = scale >= 0 ? digits * 10n ** BigInt(scale) : digits / 10n ** BigInt(-scale);
			const isBelowZero = sign === '-' && digits > 0n;
			return {json: `${sign}${whole}${fraction}${exponent}`, seconds: isBelowZero ? undefined : size};
		});
	const digits = fc
		.oneof(
			fc.bigInt({min: 0n, max: 99_999_999_999n}).map(String),
			hostileText,
			fc.constantFrom('007', '+1', ' 1', '1 ', '0x10', '1e3', '１２', '1_0', '١'),
		)
		.map(text => ({json: JSON.stringify(text), seconds: digitsOf(text)}));
	const others = fc
		.constantFrom('null', 'true', '[]', '[60]', '{}', '{"valueOf":60}', '""')
		.map(json => ({json, seconds: undefined}));
	const milliseconds = fc.oneof(
		fc.nat({max: 4e12}),
		fc.constantFrom(0, 999, 1000, 253_402_300_799_000, 253_402_300_800_000),
	);

	test('the time of expiry is exact up to the year 9999, or not known', async ({annotate}) => {
		await holds(
			fc.asyncProperty(
				fc.oneof(spelled, digits, others),
				milliseconds,
				fc.constantFrom('auto', 'seconds', 'timestamp'),
				async ({json, seconds}, now, expiresIn) => {
					const token = await requestToken(
						{
							...endpoints,
							clientId: 'client',
							expiresIn,
							now: () => now,
							fetch: async () => new Response(`{"access_token":"at","token_type":"Bearer","expires_in":${json}}`),
						},
						granting,
					);
					const issued = BigInt(now) / 1000n;
					const isTimestamp = expiresIn === 'timestamp' || (expiresIn === 'auto' && (seconds ?? 0n) > 315_360_000n);
					const expiry = seconds === undefined ? undefined : isTimestamp ? seconds : issued + seconds;
					const known = expiry !== undefined && expiry <= 253_402_300_799n ? expiry : undefined;
					expect(token.issued_at).toBe(Number(issued));
					expect('expires_at' in token ? BigInt(token.expires_at ?? -1) : undefined).toBe(known);
				},
			),
			{annotate},
		);
	});

	test('a token is renewed `leeway` seconds before its expiry, but at most a tenth of its lifetime before [R28, R84]', async ({
		annotate,
	}) => {
		const times = fc.record({
			issued: fc.integer({min: 1_000_000_000, max: 2_000_000_000}),
			lifetime: fc.oneof(fc.integer({min: 0, max: 1000}), fc.nat({max: 315_360_000})),
			leeway: fc.oneof(fc.constant(30), fc.nat({max: 5000})),
			left: fc.integer({min: -100_000, max: 100_000}),
		});
		await holds(
			fc.asyncProperty(times, async ({issued, lifetime, leeway, left}) => {
				// The times are in milliseconds, so all of them are whole numbers.
				const margin = Math.min(leeway * 1000, lifetime * 100);
				const begin = issued * 1000;
				const later = begin + lifetime * 1000 - margin - left;
				let now = begin;
				let grants = 0;
				const auth = createAuth({
					...endpoints,
					clientId: 'client',
					grant: granting,
					leeway,
					expiresIn: 'seconds',
					now: () => now,
					fetch: async () => {
						grants++;
						return Response.json({...bearer, expires_in: lifetime});
					},
				});
				await auth.getToken();
				now = later;
				await auth.getToken();
				// If the clock was set back to before the token was issued, the session ignores the expiry.
				const isSetBack = later < begin;
				// If `left` is 0, rounding decides which of the two times is later. Either result is right.
				if (left !== 0) expect(grants).toBe(left < 0 && !isSetBack ? 2 : 1);
			}),
			{annotate},
		);
	});
});
