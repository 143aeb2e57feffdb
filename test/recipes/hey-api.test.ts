import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {createClient} from '@hey-api/openapi-ts';
import {expect} from 'vitest';
import {expired, signIn} from '../support/scenario.ts';
import {test as base} from '../support/recipe-test.ts';
import {createUserProject} from '../support/user-project.ts';

interface Answer {
	readonly data?: {readonly subject: string; readonly body: string};
	readonly error?: unknown;
	readonly response?: Response;
}

/** The functions of the generated code that this test calls. */
interface Sdk {
	getMe(options?: {readonly throwOnError?: boolean}): Promise<Answer>;
	openAccount(options: {readonly body: {readonly name: string}}): Promise<Answer>;
}

const echo = {
	200: {
		description: 'Who has called, and what was sent',
		content: {
			'application/json': {
				schema: {
					type: 'object',
					required: ['subject', 'body'],
					properties: {subject: {type: 'string'}, body: {type: 'string'}},
				},
			},
		},
	},
} as const;

const description = {
	openapi: '3.1.0',
	info: {title: 'The API of the tests', version: '1'},
	paths: {
		'/me': {get: {operationId: 'getMe', responses: echo}},
		'/accounts': {
			post: {
				operationId: 'openAccount',
				requestBody: {
					required: true,
					content: {
						'application/json': {
							schema: {type: 'object', required: ['name'], properties: {name: {type: 'string'}}},
						},
					},
				},
				responses: echo,
			},
		},
	},
} as const;

const runtimeConfigPath = resolve('playground/recipes/hey-api.ts');

const test = base
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('project', {scope: 'file'}, async ({}, {onCleanup}) => {
		const project = createUserProject();
		onCleanup(project.remove);
		await createClient({
			input: description,
			output: {path: join(project.root, 'client'), importFileExtension: '.ts'},
			logs: {level: 'silent', file: false},
			plugins: [{name: '@hey-api/client-ky', runtimeConfigPath}, '@hey-api/typescript', '@hey-api/sdk'],
		});
		return project;
	})
	.extend('recipe', {scope: 'file'}, async ({environment, project}) => {
		environment();
		const {auth} = await import('../../playground/recipes/hey-api.ts');
		const sdk = (await import(join(project.root, 'client/sdk.gen.ts'))) as Sdk; // openapi.json describes these functions
		return {auth, ...sdk};
	});

test('a generated client shares one grant among calls at once', async ({
	server,
	recipe: {auth, getMe, openAccount},
}) => {
	await signIn(server, auth, expired);
	const calls = Array.from({length: 20}, (_, index) =>
		index % 2 === 0 ? getMe() : openAccount({body: {name: 'savings'}}),
	);
	// The token lacks the scope for writing, and no refresh would change that.
	expect((await Promise.all(calls)).map(({response}) => response?.status)).toEqual(
		Array.from({length: 20}, (_, index) => (index % 2 === 0 ? 200 : 403)),
	);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	await auth.refresh();
});

test('a generated client resends a body after a 401', async ({server, recipe: {auth, openAccount}}) => {
	const minted = await server.mint({scope: 'openid offline_access /accounts.write'});
	await auth.setToken(minted);
	await server.expire(minted.access_token);
	const {data} = await openAccount({body: {name: 'savings'}});
	expect(data?.body).toBe('{"name":"savings"}');
	expect(server.calls.map(({status}) => status)).toEqual([401, 200]);
	expect(server.tokenRequests).toHaveLength(1);
});

test('a generated client returns or throws the error of a renewal', async ({server, canaries, recipe}) => {
	const {auth, getMe} = recipe;
	await signIn(server, auth, expired);
	server.onToken(() => new Response(null, {status: 503}));
	const failure = {name: 'TokenResponseError', retryable: true};
	expect(canaries.see((await getMe()).error)).toMatchObject(failure);
	expect(await canaries.rejection(getMe({throwOnError: true}))).toMatchObject(failure);
	expect(server.calls).toEqual([]);
	expect(server.tokenRequests).toHaveLength(1);
});

test('a generated client compiles with the recipe, and knows its types', {timeout: 120_000}, async ({project}) => {
	const generated = readFileSync(join(project.root, 'client/client.gen.ts'), 'utf8');
	expect(generated).toContain('createClient(createClientConfig(');
	project.write(
		'use.ts',
		`import {getMe, openAccount} from './client/sdk.gen.ts';
export const subject: string = (await getMe({throwOnError: true})).data.subject;
void openAccount({body: {}});`,
	);
	const complaints = await project.compile({
		module: 'nodenext',
		exactOptionalPropertyTypes: false, // the generated code does not compile with it
		allowImportingTsExtensions: true,
		types: ['node'],
	});
	expect(complaints).toEqual([expect.objectContaining({file: 'use.ts', line: 3})]);
});
