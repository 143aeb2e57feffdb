import {describe, expect, vi} from 'vitest';
import {
	type Auth,
	type AuthOptions,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	createSession,
	customStore,
	endpoint,
	isRegrantError,
	memoryStore,
	requestToken,
	revokeToken,
	type TokenClient,
	tokenHeader,
	type TokenSet,
	type TokenStore,
} from '../../src/index.ts';
import {durableObjectStore} from '../../src/stores/cloudflare.ts';
import {redisStore} from '../../src/stores/redis.ts';
import {webStorage} from '../../src/stores/web.ts';
import {membersOfSource} from '../support/members.ts';
import {test} from '../support/test.ts';

const canary = 'canary-Pq7x';
const granting = {grant_type: 'client_credentials', scope: '/a'} as const;
const refreshing = {grant_type: 'refresh_token', refresh_token: 'rt'} as const;
const bearer = {access_token: 'at', token_type: 'Bearer'};
const endpoints = {tokenEndpoint: 'https://as.example/token', revocationEndpoint: 'https://as.example/revoke'};

/** The interfaces of src that a user passes, or may have implemented. The test pollutes each of their members in turn. */
const given =
	`TokenClient GrantOptions SessionOptions CreateSessionOptions TokenOptions RefreshOptions Waiter LeaseOptions
	StoreDriver ClientFields ClientCredentialsRequest RefreshTokenRequest ExtensionTokenRequest RevokeTokenRequest AuthToken
	AccessToken TokenSet ClientAuthentication ClientAuthenticationContext TokenScheme SchemeRequest SchemeResponse RenewContext
	VaultRequest NodeRedisClient IoRedisClient EndpointDefinition RegrantError OAuthError TokenResponseError TokenNetworkError
	RenewalError SessionEndedError TokenSource PreparedRenewal CellUse Replacement Overwritten`.split(/\s+/);
const members = membersOfSource();

/** Members that the platforms and ky read from what they are given. Each has a value that would change the outcome. */
const platformRequest: Readonly<Record<string, unknown>> = {
	body: 'evil',
	cache: 'no-store',
	credentials: 'include',
	duplex: 'half',
	headers: {'x-evil': 'evil'},
	integrity: 'sha256-evil',
	keepalive: true,
	method: 'PUT',
	mode: 'no-cors',
	redirect: 'follow',
	referrer: 'https://evil.example',
	signal: AbortSignal.abort(),
};
const ofPlatforms: Readonly<Record<string, unknown>> = {
	...platformRequest,
	// Members of errors, and what promises, listeners, locks, decoders and JSON read.
	cause: new Error(canary),
	then: canary, // oxlint-disable-line unicorn/no-thenable -- an attacker could set it, too
	toJSON: () => canary,
	once: true,
	steal: true,
	ifAvailable: true,
	fatal: true,
	ignoreBOM: true,
	stream: true,
	// Globals by which src recognises the runtime.
	document: {baseURI: 'https://evil.example'},
	location: {href: 'https://evil.example'},
	WorkerLocation: () => {},
	importScripts: () => {},
	// Options of ky.
	retry: 5,
	baseUrl: 'https://evil.example',
	prefix: 'https://evil.example',
	hooks: {},
	// Fields that a server may send.
	error: 'invalid_grant',
	error_description: canary,
	error_uri: canary,
	login: canary,
	// Members of a schema's issue. `issues` itself is missing here: valibot reads it from what inherits it.
	expected: canary,
	key: canary,
	problem: canary,
};

/** Values for members of our own. For all other members, a text and a function are enough. */
const ofOurs: Readonly<Record<string, unknown>> = {
	allowSecretInBrowser: true,
	clientAuthentication: () => Promise.reject(new Error(canary)),
	encoding: 'json',
	expires_at: 1,
	expires_in: 1,
	expiresIn: 'timestamp',
	fetch: async () => Promise.reject(new Error(canary)),
	grant: {grant_type: 'refresh_token', refresh_token: canary},
	grant_type: 'refresh_token',
	issued_at: 1,
	lease: 100,
	leeway: 1_000_000,
	minimumLifetime: 1_000_000,
	now: () => 1e12,
	origins: ['https://evil.example'],
	revocationEndpoint: 'https://evil.example/',
	store: {},
	timeout: 1,
	token_type: 'mac',
	tokenEndpoint: 'https://evil.example/',
	tokenTypes: ['mac'],
	parameters: {audience: canary},
	keep: ['evil'],
	isBoundToUrl: true,
	requireToken: true,
	renews: true,
	allowInsecureOrigins: ['http://evil.example'],
};

/** The language reads these two from property descriptors. If every object inherits one of them, no library works. */
const descriptors = ['get', 'set'];

// Members of outcomes, of tokens that were read, and of the chunks of a stream. Their types are not interfaces.
const ofUnions = ['token', 'isRejected', 'refreshToken', 'problem', 'value', 'done', 'bodyUsed', 'failure', 'record'];
const names = [
	...new Set([...given.flatMap(name => members.get(name) ?? []), ...Object.keys(ofPlatforms), ...ofUnions]),
]
	.filter(name => !descriptors.includes(name))
	.toSorted();

/** Runs the task while every object inherits this member. Loops see it, too. If it is not writable, nobody can assign to its name. */
async function polluted<T>(name: string, value: unknown, task: () => Promise<T>, writable = true): Promise<T> {
	const root: object = Object.prototype;
	const before = Object.getOwnPropertyDescriptor(root, name);
	Object.defineProperty(root, name, {value, configurable: true, enumerable: true, writable});
	try {
		return await task();
	} finally {
		Reflect.deleteProperty(root, name);
		if (before) Object.defineProperty(root, name, before);
	}
}

/** The members of a request that are recorded. The signal is not: it differs in each run. */
const requestMembers = 'method body cache credentials duplex integrity keepalive mode redirect referrer'.split(' ');

/** Records what happens as lines of text. Records of objects would be compared only later, when they inherit nothing any more. */
class Notes {
	readonly lines: string[] = [];

	/** Records what `fetch` is given. It reads every member that the platform would read, but does not let the platform read it. */
	request(input: RequestInfo | URL, init: RequestInit | undefined): void {
		const url = input instanceof Request ? input.url : String(input);
		const headers = input instanceof Request ? input.headers : Reflect.get(Object(init), 'headers');
		this.lines.push(`${url} ${[...(headers as Headers)].join(' ')}`);
		if (init) this.lines.push(...requestMembers.map(name => `${name}: ${String(Reflect.get(init, name))}`));
	}

	/** Records the result or the error of a call. */
	async outcome(call: () => Promise<unknown>): Promise<void> {
		this.record(
			await call().catch((error: unknown) => {
				if (!isRegrantError(error)) throw error;
				this.lines.push(String(error));
				this.record(Object.hasOwn(error, 'cause') && error.cause);
				this.record(error.toJSON());
				return error;
			}),
		);
	}

	/** Records the own members of an object. */
	record(value: unknown): void {
		if (typeof value !== 'object' || value === null) return void this.lines.push(String(value));
		for (const name of Object.getOwnPropertyNames(value)) {
			if (name !== 'stack') this.lines.push(`${name}: ${String(Reflect.get(value, name))}`);
		}
	}
}

/** The responses of the server, written out as text: the code that would build them may itself be affected by the pollution. */
const answers = {
	granted: [200, '{"access_token":"at","token_type":"Bearer"}'],
	rotated: [200, '{"access_token":"at","token_type":"Bearer","refresh_token":"rt2","expires_in":3600,"scope":"/a"}'],
	refused: [400, '{"error":"invalid_request"}'],
	unavailable: [503, ''],
	unauthorized: [401, ''],
	fieldless: [422, '{}'],
	typeless: [200, '{"access_token":"at"}'],
	tokenless: [200, '{"token_type":"Bearer"}'],
	page: [200, '<p>'],
	empty: [200, '{}'],
	lending: [200, '{"__proto__":{"token_type":"Bearer"},"constructor":{"prototype":{"x":1}},"access_token":"at"}'],
} as const;

/** A response that has only the members that src reads. The platform's own `Response` would read what every object inherits. */
function respond(status: number, text: string): Response {
	const chunks = [new TextEncoder().encode(text)];
	const read = async (): Promise<object> => {
		const value = chunks.pop();
		return withoutPrototype({done: !value, value});
	};
	const cancel = async (): Promise<void> => {};
	const body = withoutPrototype({cancel, getReader: () => withoutPrototype({read, cancel})});
	const members = {status, body, ok: status === 200, type: 'basic', redirected: false, url: '', headers: new Headers()};
	return withoutPrototype({...members, text: async () => text}) as unknown as Response; // src reads only these members
}

const withoutPrototype = <T extends object>(members: T): T => Object.assign<T, T>(Object.create(null) as T, members);

const answering =
	(notes: Notes, answer: keyof typeof answers): typeof fetch =>
	async (input, init) => {
		notes.request(input, init);
		const [status, text] = answers[answer];
		return respond(status, text);
	};

const held = {...bearer, issued_at: 0};

/** A store that a user wrote, with a token that others share. */
function sharedStore(notes: Notes): TokenStore {
	let record: TokenSet | undefined;
	return customStore({
		get: async () => record,
		set: async token => {
			const {login: _, ...others} = token; // the login differs in each run
			notes.record(others);
			record = {...token};
		},
		delete: async () => {
			record = undefined;
		},
		lock: async task => task(),
	});
}

const quote = (text: string): string => `"${text.replaceAll('"', '\\"')}"`;

/** Stores that keep text. Each uses a fake client that returns what a real client of its kind returns. */
const textStores: Readonly<Record<string, (notes: Notes) => TokenStore>> = {
	web: notes => {
		const items = new Map<string, string>();
		const storage = {
			getItem: (key: string) => items.get(key) ?? null,
			setItem: (key: string, text: string) => {
				notes.lines.push(text.replace(/"login":"[^"]*"/, ''));
				items.set(key, text);
			},
			removeItem: (key: string) => items.delete(key),
		};
		return webStorage('a', storage);
	},
	redis: notes => {
		const keys = new Map<string, string>();
		const client = {
			call: async (...[command, , , key = '', ...words]: string[]) => {
				notes.lines.push([command, key, ...words].join(' ').replaceAll(/"login":"[^"]*"|\d+-\d+-\d+-\d+/g, ''));
				if (key !== 'a') return '1';
				if (words.length === 0) return keys.get(key) || null;
				keys.set(key, words[0] ?? '');
				return '1';
			},
		};
		return redisStore(client, 'a');
	},
	cloudflare: notes => {
		let text: string | null = null;
		const stub = {
			fetch: async (address: string, init: {readonly method: string; readonly body: string}) => {
				const {method, body} = init;
				const message = JSON.parse(body) as {readonly op: string; readonly text?: string | null};
				notes.lines.push(`${address} ${method} ${body.replaceAll(/\\"login\\":\\"[^"]*"|\d+-\d+-\d+-\d+/g, '')}`);
				notes.lines.push(String('x-evil' in Object(Reflect.get(init, 'headers'))));
				if (message.op === 'read') return respond(200, text === null ? 'null' : quote(text));
				if (message.op === 'write' || message.op === 'replace') text = message.text ?? null;
				return respond(200, 'true');
			},
		};
		return durableObjectStore(() => stub);
	},
};

const client = (notes: Notes, answer: keyof typeof answers): TokenClient => ({
	...endpoints,
	clientId: 'client',
	now: () => 0,
	fetch: answering(notes, answer),
});

/** Runs a session, and records what it sends, what it returns and which events it emits. */
async function live(notes: Notes, options: Partial<AuthOptions>, answer: keyof typeof answers): Promise<void> {
	const common = {origins: ['https://api.example'], store: memoryStore()};
	await use(notes, waitUntil => createAuth({...client(notes, answer), ...common, waitUntil, ...options}));
}

/** Calls the members of a session. */
async function use(notes: Notes, create: (waitUntil: (promise: Promise<unknown>) => void) => Auth): Promise<void> {
	const late: Promise<unknown>[] = [];
	const auth = create(promise => void late.push(promise));
	auth.subscribe(event => notes.record(event));
	await notes.outcome(() => auth.getToken());
	await notes.outcome(() => auth.setToken({...bearer, refresh_token: 'rt1'}));
	await notes.outcome(() => auth.getToken({}));
	await notes.outcome(() => auth.refresh({}));
	await notes.outcome(() => auth.peek());
	await notes.outcome(() => auth.setToken({access_token: 'at2'}, {}));
	notes.lines.push(auth.status);
	await notes.outcome(() => auth.signOut());
	await notes.outcome(() => auth.getToken({minimumLifetime: 1}));
	await notes.outcome(() => auth.signOut());
	await Promise.allSettled(late);
}

const scenarios: Readonly<Record<string, (notes: Notes) => Promise<void>>> = {
	'token requests': async notes => {
		for (const encoding of ['form', 'json'] as const) {
			for (const clientAuthentication of [undefined, clientSecretBasic('secret'), clientSecretPost('secret')]) {
				const options = {...client(notes, 'granted'), encoding, clientAuthentication};
				await notes.outcome(() => requestToken(options, granting));
				await notes.outcome(() => requestToken(options, refreshing));
				await notes.outcome(() => revokeToken(options, {token: 'rt'}));
			}
		}
	},
	'answers that are no tokens': async notes => {
		for (const answer of Object.keys(answers) as (keyof typeof answers)[]) {
			await notes.outcome(() => requestToken(client(notes, answer), refreshing));
		}
	},
	'requests that are refused': async notes => {
		const options = client(notes, 'granted');
		await notes.outcome(() => requestToken({} as never, granting));
		await notes.outcome(() => requestToken({...options, clientId: undefined} as never, granting));
		await notes.outcome(() => requestToken(options, {} as never));
		await notes.outcome(() => requestToken(options, {grant_type: 'refresh_token'} as never));
		await notes.outcome(() => requestToken(options, {grant_type: 'client_credentials'} as never));
		await notes.outcome(() => revokeToken(options, {} as never));
		await notes.outcome(() => revokeToken({...options, revocationEndpoint: undefined}, {token: 'rt'}));
	},
	'a session in memory': async notes => live(notes, {}, 'rotated'),
	'a session with a grant': async notes => live(notes, {grant: granting}, 'rotated'),
	'a session without a refresh token': async notes => live(notes, {grant: () => granting}, 'granted'),
	'a session whose renewal fails': async notes => live(notes, {}, 'unavailable'),
	'a session with all options': async notes =>
		live(
			notes,
			{
				grant: {grant_type: 'authorization_code', code: 'c'},
				parameters: async () => ({audience: 'a', resource: ['b', 'c']}),
				headers: {'x-a': 'b'},
				keep: ['id_token'],
				scheme: tokenHeader('x-token'),
				endsSession: () => false,
			},
			'rotated',
		),
	'sessions with a renew function': async notes => {
		const fail = (response: object): (() => never) => {
			return () => {
				throw Object.assign(new Error('renew'), {response});
			};
		};
		const functions = [
			async () => bearer,
			() => undefined,
			() => ({}) as never,
			fail({status: 401}),
			fail({status: 500}),
		];
		for (const renew of functions) await use(notes, waitUntil => createSession({renew, waitUntil, now: () => 0}));
	},
	'a session that ends': async notes => live(notes, {}, 'fieldless'),
	'a session in a store of one’s own': async notes => live(notes, {store: sharedStore(notes)}, 'rotated'),
	'a session in a store that holds no token': async notes => {
		for (const record of [{}, {access_token: 'at'}, {...bearer}, {...held, expires_at: 1}, held]) {
			const driver = {get: () => record as TokenSet, set: () => {}, delete: () => {}};
			await live(notes, {store: customStore(driver)}, 'refused');
		}
	},
	...Object.fromEntries(
		Object.entries(textStores).map(([kind, make]) => [
			`a session in the store of ${kind}`,
			async (notes: Notes) => live(notes, {store: make(notes)}, 'rotated'),
		]),
	),
	'calls of endpoints': async notes => {
		// This takes the place of ky, which reads what every object inherits.
		const api = async (path: string, options: object): Promise<Response> => {
			notes.lines.push(path);
			notes.record(options);
			return respond(200, '');
		};
		// The tests pass invalid definitions, too.
		const define = endpoint as unknown as (definition: object) => (...given: readonly unknown[]) => Promise<unknown>;
		const validate = (value: unknown): object => withoutPrototype({value});
		const schema = {'~standard': {version: 1, vendor: 'own', validate}};
		const definitions = [{path: 'a'}, {path: '{id}'}, {path: '{id}', params: schema}, {path: 'a', json: schema}];
		for (const parts of definitions) {
			for (const input of [undefined, {}, {params: {id: 'b'}}, {json: 'c'}]) {
				await notes.outcome(async () => define({method: 'post', ...parts})(api, input));
			}
		}
		for (const definition of [{}, {method: 'get'}, {path: 'a'}]) {
			await notes.outcome(async () => define(definition));
		}
	},
	'calls of an API': async notes => {
		for (const status of [200, 401]) {
			const auth = createAuth({...client(notes, 'rotated'), grant: granting, origins: ['https://api.example']});
			const platform = globalThis.fetch;
			globalThis.fetch = async (input, init) => {
				notes.request(input, init);
				notes.lines.push(String(init && Object.keys(init)));
				return respond(status, '');
			};
			try {
				const inits = [undefined, {}, {method: 'POST', body: 'a'}, {cf: {}} as object];
				for (const init of inits)
					await notes.outcome(async () => (await auth.fetch('https://api.example/a', init)).status);
			} finally {
				globalThis.fetch = platform;
			}
			// ky calls the hook in this way, with all of its options.
			const options = {baseUrl: 'https://api.example/', fetch: globalThis.fetch, body: null};
			options.fetch = answering(notes, status === 401 ? 'unauthorized' : 'granted');
			auth.hooks.init?.[0]?.(options);
			await notes.outcome(async () => (await options.fetch(new Request('https://api.example/b'))).status);
		}
	},
};

async function run(scenario: (notes: Notes) => Promise<void>): Promise<readonly string[]> {
	const notes = new Notes();
	await scenario(notes);
	return notes.lines;
}

describe('what every object inherits, read-only or not, has no effect on requests, tokens, events and errors [F-92, F-93, F-152, R39, R95]', () => {
	const clean = new Map<string, readonly string[]>();

	// Members of a response, of a token and of an error. Other code may also define these names as read-only. [F-152]
	const ofWire =
		`AuthToken AccessToken TokenSet ClientFields ClientCredentialsRequest RefreshTokenRequest RevokeTokenRequest
		RegrantError OAuthError TokenResponseError TokenNetworkError SessionEndedError`.split(/\s+/);
	const readOnly = new Set([...ofWire.flatMap(name => members.get(name) ?? []), ...ofUnions]);

	async function check(name: string): Promise<void> {
		const values = [{...ofOurs, ...ofPlatforms}[name] ?? canary, () => canary];
		for (const [what, scenario] of Object.entries(scenarios)) {
			const expected = clean.get(what) ?? (await run(scenario));
			clean.set(what, expected);
			for (const value of values) {
				// The language calls an inherited `then` of everything that is resolved. In a call of an API, Node itself reads the members of a
				// request.
				if (name === 'then' && typeof value === 'function') continue;
				if (what === 'calls of an API' && name in platformRequest) continue;
				for (const writable of readOnly.has(name) ? [true, false] : [true]) {
					const attempt = (): Promise<readonly string[]> => run(scenario).catch((error: unknown) => [String(error)]);
					const lines = await polluted(name, value, attempt, writable);
					expect(lines, `${typeof value}, ${writable ? '' : 'not '}writable, in ${what}`).toEqual(expected);
				}
			}
		}
	}

	test.for(names)('Object.prototype.%s', check);

	test.for(['steal', 'ifAvailable', 'mode', 'signal'])(
		'a polluted Object.prototype.%s has no effect on a Web Lock',
		async name => {
			const asked: unknown[] = [];
			const request = async (_: string, options: object, task: () => Promise<unknown>): Promise<unknown> => {
				asked.push(Reflect.get(options, name));
				return task();
			};
			vi.stubGlobal('navigator', {locks: {request}});
			try {
				const items = new Map<string, string>();
				const getItem = (key: string): string | null => items.get(key) ?? null;
				const store = webStorage('a', {
					getItem,
					setItem: (...item) => items.set(...item),
					removeItem: key => items.delete(key),
				});
				const auth = createAuth({
					...endpoints,
					clientId: 'client',
					store,
					grant: granting,
					fetch: async () => respond(200, '{}'),
				});
				await polluted(name, true, () => auth.getToken().catch(() => {}));
			} finally {
				vi.unstubAllGlobals();
			}
			expect(asked).not.toHaveLength(0);
			expect(asked).not.toContain(true);
		},
	);

	test('every one of these interfaces is there, with members', () => {
		for (const name of given) expect(members.get(name), name).not.toHaveLength(0);
		expect(names).toEqual(expect.arrayContaining(['tokenEndpoint', 'encoding', 'lease', 'refresh_token', 'error_uri']));
	});
});
