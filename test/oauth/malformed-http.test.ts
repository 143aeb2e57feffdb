import {execFile} from 'node:child_process';
import {describe, expect} from 'vitest';
import {
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	RegrantError,
	requestToken,
	type TokenClient,
} from '../../src/index.ts';
import type {Canaries} from '../support/canaries.ts';
import {test} from '../support/test.ts';

const secret = 'cs-canary-Kd82mQ';
const refreshToken = 'rt-canary-Vb2nZs';
const newToken = 'at-canary-Jw6sPd';
const refreshing = {grant_type: 'refresh_token', refresh_token: refreshToken} as const;

/** Responses that break HTTP. Each contains everything that the client sent, and a new token. */
const answers: Readonly<Record<string, (text: string) => string>> = {
	'a space before the colon of a header': text => `HTTP/1.1 200 OK\r\nx-echo : ${text}\r\n\r\n${text}`,
	'a control character in a header': text => `HTTP/1.1 200 OK\r\nx-echo: \u0001${text}\r\n\r\n${text}`,
	'a header without a colon': text => `HTTP/1.1 200 OK\r\n${text}\r\n\r\n${text}`,
	'a header with a line break of its own': text => `HTTP/1.1 200 OK\r\nx-echo: a\rb${text}\r\n\r\n${text}`,
	'a chunk whose size is none': text => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${text}\r\n`,
	'a chunk that ends too late': text =>
		`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n${text}\r\n0\r\n\r\n`,
	'lines that end with LF alone': text => `HTTP/1.1 200 OK\nx-echo: ${text}\n\n${text}`,
	'HTTP/0.9, which has no headers': text => text,
	'a status that is none': text => `HTTP/1.1 2x0 ${text}\r\n\r\n${text}`,
	'a protocol that is none': text => `JTTP/9.9 200 OK\r\n\r\n${text}`,
	'a length that is none': text => `HTTP/1.1 200 OK\r\ncontent-length: ${text}\r\n\r\n${text}`,
	'two lengths': text => `HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n${text}`,
	'a length beside chunks': text =>
		`HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n${text}\r\n0\r\n\r\n`,
	'a length that is not reached': text => `HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n${text}`,
	'headers that do not end': text => `HTTP/1.1 200 OK\r\n${`x-echo: ${text}\r\n`.repeat(400)}`,
};
const names = Object.keys(answers);

function plantAll(canaries: Canaries): void {
	canaries.plant(secret, 'client secret');
	canaries.plant(btoa(`client:${secret}`), 'Basic credentials');
	canaries.plant(refreshToken, 'refresh token');
	canaries.plant(newToken, 'access token');
}

describe('malformed HTTP from the token endpoint', () => {
	test.for(names)(
		'malformed HTTP from the token endpoint shows nothing of itself in the error and its causes: %s [F-137, R90]',
		async (name, {serve, canaries}) => {
			plantAll(canaries);
			const {origin} = await serve((_request, {body, headers}) => ({
				raw: answers[name]?.(`${newToken} ${headers['authorization']} ${body}`) ?? '',
			}));
			for (const clientAuthentication of [clientSecretBasic(secret), clientSecretPost(secret)]) {
				const client: TokenClient = {tokenEndpoint: `${origin}/token`, clientId: 'client', clientAuthentication};
				const error = await canaries.rejection(requestToken(client, refreshing));
				expect(error).toBeInstanceOf(RegrantError);
				expect(error).not.toHaveProperty('cause');
			}
		},
	);

	test.for(names)(
		'malformed HTTP from the token endpoint shows nothing of itself in an event: %s [F-137]',
		async (name, {serve, canaries, watch}) => {
			plantAll(canaries);
			const {origin} = await serve((_request, {body}) => ({raw: answers[name]?.(`${newToken} ${body}`) ?? ''}));
			const auth = watch(
				createAuth({
					tokenEndpoint: `${origin}/token`,
					clientId: 'client',
					clientAuthentication: clientSecretPost(secret),
				}),
			);
			const events: unknown[] = [];
			auth.subscribe(event => events.push(canaries.see(event)));
			await auth.setToken({access_token: 'at', refresh_token: refreshToken});
			await canaries.rejection(auth.refresh());
			expect(events).toMatchObject([{type: 'token'}, {type: 'refresh-failed'}]);
		},
	);

	test(
		'malformed HTTP from the token endpoint shows nothing of itself in what Node prints of an uncaught error [F-137]',
		{timeout: 300_000},
		async ({serve, canaries}) => {
			plantAll(canaries);
			const {origin} = await serve((_request, {path, body}) => ({
				raw: answers[names[Number(path.slice(1))] ?? '']?.(`${newToken} ${body}`) ?? '',
			}));
			const source = new URL('../../src/index.ts', import.meta.url).href;
			const run = async (index: number): Promise<string> => {
				const script = `
				import {clientSecretPost, requestToken} from ${JSON.stringify(source)};
				const client = {
					tokenEndpoint: '${origin}/${index}',
					clientId: 'client',
					clientAuthentication: clientSecretPost('${secret}'),
				};
				await requestToken(client, {grant_type: 'refresh_token', refresh_token: '${refreshToken}'});`;
				return new Promise(resolve => {
					execFile(process.execPath, ['--input-type=module', '--no-warnings', '-e', script], (_error, stdout, stderr) =>
						resolve(stdout + stderr),
					);
				});
			};
			for (const index of names.keys()) {
				const printed = canaries.see(await run(index));
				expect(printed, names[index]).toMatch(/Token(?:Network|Response)Error/);
			}
		},
	);
});
