import {readFileSync} from 'node:fs';
import {afterAll, describe, expect, test} from 'vitest';
import * as v from 'valibot';
import {
	AuthToken,
	AuthTokenRequest,
	type ClientCredentialsRequest,
	type RefreshTokenRequest,
	RevokeTokenRequest,
} from '../../src/index.ts';
import {createUserProject} from '../support/user-project.ts';

const fixtures = ['endpoint.ts', 'login.ts', 'surface.ts'].map(file => ({
	file,
	text: readFileSync(`test/types/${file}`, 'utf8'),
}));
const marker = '// @ts-expect-error: ';

const dom = {lib: ['es2022', 'dom', 'dom.iterable']};
const settings = {
	bundler: {module: 'esnext', moduleResolution: 'bundler', ...dom},
	nodenext: {module: 'nodenext', ...dom},
	'nodenext, with the types of Node in place of the DOM': {module: 'nodenext', lib: ['es2022'], types: ['node']},
};

const project = createUserProject();
afterAll(project.remove);

/** Every mistake in the fixtures, with words that the compiler's message must contain. */
const mistakes = fixtures.flatMap(({file, text}) =>
	text
		.split('\n')
		.flatMap((line, index) =>
			line.includes(marker) ? [{file, line: index + 2, words: line.split(marker)[1] ?? ''}] : [],
		),
);

describe('the types of the public surface', {timeout: 180_000}, () => {
	test.for(Object.entries(settings))(
		'the public types accept correct code and refuse every mistake, for a user of %s',
		async ([, options]) => {
			for (const {file, text} of fixtures) project.write(file, text.replaceAll(marker, '// '));
			const complaints = await project.compile(options);
			expect(mistakes.length).toBeGreaterThan(20);
			expect(complaints).toEqual(
				mistakes.map(({file, line, words}) => ({file, line, message: expect.stringContaining(words)})),
			);
		},
	);
});

// Bun's `fetch` has a method `preconnect`. A user's function does not have it.
const bun = `
import ky from 'ky';
import {type Auth, createAuth, requestToken, revokeToken} from 'regrant';
import {createLogin, deviceLogin, discover} from 'regrant/login';
declare global {
	namespace fetch {
		function preconnect(url: string | URL): void;
	}
}
fetch.preconnect('https://as.example');
const client = {tokenEndpoint: 'https://as.example/token', revocationEndpoint: 'https://as.example/revoke', clientId: 'a'};
const logged = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => fetch(input, init);
export const ours: Auth = createAuth({...client, fetch: logged});
export const theirs: Auth = createAuth({...client, fetch});
export const inline: Auth = createAuth({...client, fetch: async (input, init) => fetch(input, init)});
void requestToken({...client, fetch: logged}, {grant_type: 'client_credentials', scope: null});
void revokeToken({...client, fetch: logged}, {token: 'a'});
void discover('https://as.example', {fetch: logged});
void deviceLogin({...client, deviceAuthorizationEndpoint: 'https://as.example/device', fetch: logged}, () => {});
createLogin({...client, authorizationEndpoint: 'https://as.example/auth', redirectUri: 'https://a.example', fetch: logged});
// What regrant gives goes wherever a platform's goes.
export const asPlatform: typeof fetch = ours.fetch;
export const api = ky.create({fetch: ours.fetch, hooks: ours.hooks});
`;

test(
	'the types of fetch fit both ways if the platform’s fetch has more members, as Bun’s has [F-163]',
	{timeout: 180_000},
	async () => {
		const user = createUserProject();
		try {
			user.write('bun.ts', bun);
			expect(await user.compile(settings.bundler)).toEqual([]);
		} finally {
			user.remove();
		}
	},
);

const library = `
import {endpoint} from 'regrant';
import * as v from 'valibot';
export const createTransfer = endpoint({
	method: 'post',
	path: 'accounts/{accountID}/transfers',
	json: v.object({amount: v.number()}),
	response: v.object({transferID: v.string()}),
	errors: {422: v.array(v.string())},
});
export const ping = endpoint({method: 'get', path: 'ping'});
`;

test('the types of endpoints read plainly, and have names in the declarations of a user’s library', async () => {
	const user = createUserProject();
	try {
		const path = user.write('library.ts', library);
		const emit = {noEmit: false, declaration: true, emitDeclarationOnly: true};
		expect(await user.compile({...settings.nodenext, ...emit})).toEqual([]);
		const declared = readFileSync(path.replace(/ts$/, 'd.ts'), 'utf8').replaceAll(/\s+/g, ' ');
		const types =
			'{ readonly json: { amount: number; }; readonly params: { readonly accountID: string | number | bigint; }; }, { transferID: string; }, { readonly 422: string[]; }';
		const checked = 'import("regrant").CheckedDefinition<';
		expect(declared).toContain(`createTransfer: import("regrant").Endpoint<${types}, ${checked}`);
		const none = 'undefined, '.repeat(8);
		expect(declared).toContain(
			`ping: import("regrant").Endpoint<Readonly<Record<string, never>>, void, {}, ${checked}"ping", ${none}"get">>;`,
		);
	} finally {
		user.remove();
	}
}, 180_000);

// The exported schemas have written types, which say less than the schemas do. These values have every field of the types, also the
// optional ones.
const client = {client_id: 'i', client_secret: 's'};
const granting: Required<ClientCredentialsRequest> = {grant_type: 'client_credentials', ...client, scope: 'a'};
const refreshing: Required<RefreshTokenRequest> = {
	grant_type: 'refresh_token',
	...client,
	refresh_token: 'r',
	scope: 'a',
};
const revoking: Required<RevokeTokenRequest> = {...client, token: 't', token_type_hint: 'access_token'};
const answer: Required<AuthToken> = {
	access_token: 'a',
	token_type: 'Bearer',
	expires_in: 1,
	expires_at: 1,
	refresh_token: 'r',
	scope: 'a',
};

describe('a schema has exactly the fields of its type', () => {
	const pairs: ReadonlyArray<readonly [name: string, schema: v.GenericSchema, value: object]> = [
		['AuthTokenRequest, client_credentials', AuthTokenRequest, granting],
		['AuthTokenRequest, refresh_token', AuthTokenRequest, refreshing],
		['RevokeTokenRequest', RevokeTokenRequest, revoking],
		['AuthToken', AuthToken, answer],
	];

	test.for(pairs)('%s', ([, schema, value]) => {
		expect(v.parse(schema, value)).toEqual(value);
		const ofTypes = pairs.filter(pair => pair[1] === schema).map(pair => Object.keys(pair[2]).toSorted());
		expect(ofTypes).toEqual(fieldsOf(schema));
	});
});

/** The fields of an object schema, or of each option of a variant schema. */
function fieldsOf(schema: object): string[][] {
	const {entries, options = [schema]} = schema as {readonly entries?: object; readonly options?: readonly object[]};
	return entries ? [Object.keys(entries).toSorted()] : options.flatMap(fieldsOf);
}
