import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {expect} from 'vitest';
import {deno} from '../support/deno.ts';
import {tool} from '../support/login-pages.ts';
import {test as base} from '../support/test.ts';
import {createVisitor} from '../support/visitor.ts';

/** A run of the tool. */
interface Run {
	/** All lines that the tool has printed. Resolves when the tool has ended. */
	readonly lines: Promise<readonly string[]>;
	/** The first line. Resolves when it is printed. */
	readonly first: Promise<string>;
}

const test = base
	.override('serverOptions', {accessTokenSeconds: 60, pages: {redirectUris: ['https://app.example/callback']}})
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('home', async ({}, {onCleanup}) => {
		const home = mkdtempSync(join(tmpdir(), 'regrant-home-'));
		onCleanup(() => rmSync(home, {recursive: true, force: true}));
		return home;
	})
	.extend('start', async ({server, home, canaries}) => (...args: readonly string[]): Run => {
		const [command, ...flags] = deno;
		const child = spawn(command, [...flags, resolve('playground/recipes/device-cli.ts'), ...args], {
			env: {...process.env, ISSUER: server.issuer, CLIENT_ID: tool.clientId, API: server.api, HOME: home},
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const lines: string[] = [];
		const problems: string[] = [];
		const first = Promise.withResolvers<string>();
		createInterface(child.stdout).on('line', line => {
			lines.push(canaries.see(line));
			first.resolve(line);
		});
		child.stderr.on('data', data => problems.push(String(data)));
		const ended = once(child, 'close').then(() => {
			expect(problems.join('')).toBe('');
			return lines;
		});
		return {lines: ended, first: first.promise};
	});

/** Does what the line tells the user to do. */
async function obey(line: string, name: string): Promise<void> {
	const [, url = '', user_code = ''] = /^Open (\S+) and enter (\S+)$/.exec(line) ?? [];
	const visitor = createVisitor();
	const confirm = await visitor.submit(await visitor.open(url), {user_code});
	const consent = await visitor.submit(await visitor.submit(confirm, {}), {name});
	expect((await visitor.submit(consent, {})).text).toContain('You are signed in');
}

test('a user logs in once, the tool runs from then on, several times at once, until they log out', async ({
	server,
	home,
	start,
}) => {
	const login = start();
	await obey(await login.first, 'ann');
	expect((await login.lines).slice(1)).toEqual(['You are ann']);

	const file = join(home, '.config/my-tool/session.json');
	expect(statSync(file).mode & 0o777).toBe(0o600);
	const [, accessToken = ''] = /"access_token":"([^"]+)"/.exec(readFileSync(file, 'utf8')) ?? [];
	await server.expire(accessToken);
	const runs = [start(), start(), start()];
	expect(await Promise.all(runs.map(({lines}) => lines))).toEqual([['You are ann'], ['You are ann'], ['You are ann']]);
	const grants = server.tokenRequests.map(({status, parameters}) => [status, parameters.get('grant_type')]);
	expect(grants.filter(([status]) => status === 200)).toEqual([
		[200, 'urn:ietf:params:oauth:grant-type:device_code'],
		[200, 'refresh_token'],
	]);

	expect(await start('logout').lines).toEqual([]);
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	const again = start();
	await obey(await again.first, 'ben');
	expect((await again.lines).slice(1)).toEqual(['You are ben']);
}, 300_000);
