import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {expect} from 'vitest';
import {app} from '../support/authorization-server.ts';
import {deno} from '../support/deno.ts';
import {expired} from '../support/scenario.ts';
import {test as base} from '../support/test.ts';

/** The result of one run of the tool. */
interface Run {
	readonly code: number | null;
	readonly output: string;
	readonly problems: string;
}

const test = base.override('serverOptions', {accessTokenSeconds: 60}).extend('tool', async ({server}, {onCleanup}) => {
	const home = mkdtempSync(join(tmpdir(), 'regrant-tool-'));
	onCleanup(() => rmSync(home, {recursive: true, force: true}));
	const env = {
		...process.env,
		HOME: home,
		TOKEN_ENDPOINT: server.tokenEndpoint,
		REVOCATION_ENDPOINT: server.revocationEndpoint,
		CLIENT_ID: app.clientId,
		API: server.api,
	};
	const [command, ...flags] = deno;
	const permissions = ['--allow-net', '--allow-env', '--allow-sys', `--allow-read`, `--allow-write=${home}`];
	const words = [
		...flags.filter(flag => flag !== '-A'),
		'--no-prompt',
		...permissions,
		'playground/recipes/deno-cli.ts',
	];
	return {
		path: join(home, '.config', 'my-tool', 'session.json'),
		run: (name: string, input = ''): Promise<Run> =>
			new Promise((done, fail) => {
				const child = spawn(command, [...words, name], {env});
				let [output, problems] = ['', ''];
				child.stdout.on('data', data => (output += String(data)));
				child.stderr.on('data', data => (problems += String(data)));
				child.once('error', fail);
				child.once('close', code => done({code, output: output.trim(), problems: problems.trim()}));
				child.stdin.end(input);
			}),
	};
});

test('a tool that is logged in once runs again and again, refreshes its token, and several at once make one grant [F-104]', async ({
	server,
	tool: {path, run},
}) => {
	const minted = await server.mint();
	expect(await run('login', JSON.stringify({...minted, ...expired}))).toEqual({code: 0, output: '', problems: ''});
	expect(statSync(path).mode & 0o777).toBe(0o600);
	const runs = await Promise.all(Array.from({length: 4}, () => run('accounts')));
	expect(runs.map(({code, problems}) => [code, problems])).toEqual(Array.from({length: 4}, () => [0, '']));
	expect(JSON.parse(runs[0]?.output ?? '')).toMatchObject({subject: expect.any(String)});
	expect(server.tokenRequests).toHaveLength(1);
	expect(readFileSync(path, 'utf8')).not.toContain(minted.refresh_token);
	expect((await run('accounts')).code).toBe(0);
	expect(server.tokenRequests).toHaveLength(1);
});

test('a tool that logs out forgets its token, here and at the server, and asks for a login', async ({
	server,
	tool: {path, run},
}) => {
	const minted = await server.mint();
	await run('login', JSON.stringify(minted));
	expect((await run('logout')).code).toBe(0);
	expect(existsSync(path)).toBe(false);
	expect(await server.isActive(minted.refresh_token)).toBe(false);
	expect(await run('accounts')).toEqual({code: 2, output: '', problems: 'Please log in: my-tool login'});
});

test('a tool whose session the server has ended asks for a login, and one whose server is in trouble says so', async ({
	server,
	tool: {run},
}) => {
	await run('login', JSON.stringify({...(await server.mint()), ...expired, refresh_token: 'never-issued'}));
	expect(await run('accounts')).toEqual({code: 2, output: '', problems: 'Please log in: my-tool login'});
	await run('login', JSON.stringify({...(await server.mint()), ...expired}));
	const stop = server.onToken(() => new Response(null, {status: 503}));
	expect((await run('accounts')).code).toBe(75);
	stop();
	expect((await run('accounts')).code).toBe(0);
});

test('a tool says how it is used, and what is wrong with what it was given', async ({tool: {run}}) => {
	expect(await run('')).toMatchObject({code: 1, problems: 'Usage: my-tool login | logout | accounts'});
	expect(await run('login', '{"access_token": 42}')).toMatchObject({
		code: 1,
		problems: expect.stringMatching(/access_token must be/),
	});
});
