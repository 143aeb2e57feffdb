import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {describe, expect} from 'vitest';
import {findFault, tallyOf} from '../../playground/tally.ts';
import {type Scene, trace} from '../../playground/trace.ts';
import {test} from '../support/test.ts';

interface Program {
	readonly process: ChildProcess;
	/** Everything that the program has printed so far, to stdout and stderr. */
	output(): string;
	/** The exit status. */
	readonly status: Promise<number | null>;
}

function start(...options: string[]): Program {
	return run(process.execPath, 'playground/start.ts', ...options);
}

function run(command: string, ...args: string[]): Program {
	const program = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe']});
	let text = '';
	for (const output of [program.stdout, program.stderr]) output.on('data', chunk => (text += chunk));
	return {
		process: program,
		output: () => text,
		status: once(program, 'close').then(([status]) => status as number | null), // Node documents that this event has a status
	};
}

/** Extracts the steps of each scene: the numbered tokens and the statuses, without the columns in between. */
function stepsOf(output: string): string[][] {
	const scenes = output.trim().split('\n\n');
	return scenes.map(scene =>
		scene
			.split('\n')
			.filter(line => /^ {2}(?:API|authorization server|your backend) /.test(line))
			.map(line => line.trim().replaceAll(/ {2,}/g, ' ')),
	);
}

describe('npm start', {timeout: 300_000}, () => {
	test('npm start prints each step from the first grant to the answer of the retry, and ends well', async () => {
		const program = start('--once');
		expect([await program.status, program.output()]).toEqual([0, expect.not.stringContaining('Warning')]);
		expect(stepsOf(program.output())).toEqual([
			[
				'authorization server POST /token client_credentials 200 access token 1',
				'API GET /accounts access token 1 200',
				'API GET /accounts access token 1 401',
				'authorization server POST /token client_credentials 200 access token 2',
				'API GET /accounts access token 2 200',
			],
			[
				'authorization server POST /oauth2/token client_credentials 200 access token 1, refresh token 1',
				'API GET /accounts access token 1 200',
				'API GET /accounts access token 1 401',
				'authorization server POST /oauth2/token refresh_token, refresh token 1 200 access token 2, refresh token 2',
				'API GET /accounts access token 2 200',
			],
			[
				'authorization server POST /token refresh_token, refresh token 1 200 access token 1, refresh token 2',
				'API GET /accounts access token 1 200',
				'API GET /accounts access token 1 401',
				'authorization server POST /token refresh_token, refresh token 2 200 access token 2, refresh token 3',
				'API GET /accounts access token 2 200',
			],
			[
				'API GET /accounts access token 1 401, 40 times',
				'authorization server POST /token refresh_token, refresh token 1 200 access token 2, refresh token 2',
				'API GET /accounts access token 2 200, 40 times',
			],
			[
				'authorization server POST /token refresh_token, refresh token 1 200 access token 1, refresh token 2',
				'your backend POST /session a cookie 200 access token 1',
				'API GET /accounts access token 1 200',
				'API GET /accounts access token 1 401',
				'authorization server POST /token refresh_token, refresh token 2 200 access token 2, refresh token 3',
				'your backend POST /session a cookie 200 access token 2',
				'API GET /accounts access token 2 200',
			],
			[
				'authorization server POST /token client_credentials, an audience, no scope 200 access token 1',
				'API GET /me access token 1 200',
				'API GET /me access token 1 401',
				'authorization server POST /token client_credentials, an audience, no scope 200 access token 2',
				'API GET /me access token 2 200',
			],
		]);
	});

	test('npm start serves a page with all its modules, and stops when it is told to', async () => {
		const program = start();
		try {
			const page = await pageOf(program);
			expect(await (await fetch(page)).text()).toContain('src="./main.ts"');
			expect(await importAll(new URL('/main.ts', page))).toContainEqual(expect.stringMatching(/\/dist\/index\.js$/));
			expect(await (await fetch(new URL('/trace', page))).json()).toContainEqual(expect.stringContaining('401'));
			const place = await (await fetch(new URL('/place', page))).json();
			expect((await fetch(`${place.api}/accounts`)).headers.get('access-control-allow-origin')).toBe('*');
		} finally {
			program.process.kill('SIGTERM');
		}
		expect(await program.status).toBe(0);
	});

	test.for([
		['it is asked to end', 'SIGTERM', 0],
		['Ctrl-C is pressed in its terminal', 'SIGINT', 0],
		['its terminal is closed', 'SIGHUP', 0],
		['it is killed', 'SIGKILL', null],
	] as const)('npm start leaves nothing running if %s in the middle of its work', async ([, signal, status]) => {
		const program = start();
		const page = await pageOf(program);
		const post = async (path: string, body = ''): Promise<unknown> =>
			(await fetch(new URL(path, page), {method: 'POST', body})).json();
		// By now workerd runs, and the Deno scripts wait for their token.
		expect(await post('/worker')).toContain('40 answered 200');
		await post('/mood', '"slow"');
		let areSeen = false;
		// Scripts that have ended before they were counted are started again.
		const run = async (): Promise<void> => {
			await post('/expire');
			await post('/deno');
			if (!areSeen) await run();
		};
		const scripts = run().catch(() => {});
		const id = program.process.pid ?? 0;
		await expect.poll(() => descendantsOf(id).filter(({command}) => command.includes('deno')).length).toBe(4);
		areSeen = true;
		const started = descendantsOf(id);
		expect(started.map(({command}) => command)).toContainEqual(expect.stringContaining('workerd'));
		// A terminal sends these two signals to all processes that were started from it.
		const isOfTerminal = signal === 'SIGINT' || signal === 'SIGHUP';
		for (const pid of isOfTerminal ? [id, ...started.map(({pid}) => pid)] : [id]) signalTo(pid, signal);
		expect(await program.status).toBe(status);
		await scripts;
		await expect.poll(() => started.filter(({pid}) => signalTo(pid, 0))).toEqual([]);
	});
});

test('npm start ends with the shell that npm runs it in, which passes no signal on', {timeout: 300_000}, async () => {
	const program = run('sh', '-c', '"$0" playground/start.ts && true', process.execPath);
	await pageOf(program);
	const [started] = descendantsOf(program.process.pid ?? 0);
	program.process.kill('SIGTERM');
	// The output closes when the last process that writes to it ends.
	expect(await program.status).toBe(null);
	expect(started?.command).toContain('playground/start.ts');
	await expect.poll(() => signalTo(started?.pid ?? 0, 0)).toBe(false);
});

/** Returns the URL of the page when the program has printed it. */
async function pageOf(program: Program): Promise<string> {
	await expect.poll(program.output).toContain('(Ctrl-C ends it)');
	return /http:\S+/.exec(program.output())?.[0] ?? '';
}

interface Process {
	readonly pid: number;
	readonly command: string;
}

/** Returns all processes that a process has started, directly or indirectly. */
function descendantsOf(ancestor: number): Process[] {
	const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], {encoding: 'utf8'}).trim().split('\n');
	const all = lines.map(line => {
		const [pid = '', parent = '', ...command] = line.trim().split(/\s+/);
		return {pid: Number(pid), parent: Number(parent), command: command.join(' ')};
	});
	const found: Process[] = [];
	for (let parents = [ancestor]; parents.length > 0;) {
		const children = all.filter(({parent}) => parents.includes(parent));
		found.push(...children);
		parents = children.map(({pid}) => pid);
	}
	return found;
}

/** Sends a signal. Returns false if the process does not exist. */
function signalTo(pid: number, signal: NodeJS.Signals | 0): boolean {
	try {
		return process.kill(pid, signal);
	} catch {
		return false;
	}
}

/** Loads a module and everything that it imports, as a browser would. */
async function importAll(entry: URL): Promise<string[]> {
	const seen = new Set<string>();
	const visit = async (url: URL): Promise<void> => {
		if (seen.has(url.pathname)) return;
		seen.add(url.pathname);
		const response = await fetch(url);
		expect([url.pathname, response.status]).toEqual([url.pathname, 200]);
		const imports = (await response.text()).matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"/gm);
		await Promise.all([...imports].map(([, specifier]) => visit(new URL(specifier ?? '', url))));
	};
	await visit(entry);
	return [...seen];
}

describe('the trace', () => {
	const scene = (expected: Scene['expected'], grants: number): Scene => ({
		title: 'A scene',
		expected,
		async play({note}) {
			note('something happened');
			return {
				tokenRequests: Array.from({length: grants}, () => ({
					headers: {'content-type': 'application/x-www-form-urlencoded'},
					body: 'grant_type=refresh_token',
					status: 200,
				})),
				calls: [{status: 200}],
				referee: {verdict() {}},
			};
		},
	});
	const expected = {'refresh_token grant answered 200': 1, 'call answered 200': 1};

	test('the trace says in a sentence which number of a server is not as expected', async () => {
		const lines: string[] = [];
		const print = (line: string): void => void lines.push(line);
		await trace([scene(expected, 1)], print);
		await expect(trace([scene(expected, 2)], print)).rejects.toThrow(
			'The server counted 2 × "refresh_token grant answered 200" where 1 was right.',
		);
		expect(lines).toEqual([
			'\nA scene',
			'  (something happened)',
			'  The server counted 1 × refresh_token grant answered 200, 1 × call answered 200.',
			'\nA scene',
			'  (something happened)',
		]);
	});

	test('the trace finds missing, superfluous and lost requests', () => {
		expect(findFault(expected, expected)).toBeUndefined();
		expect(findFault({a: 1}, {b: 2})).toBe(
			'The server counted 0 × "a" where 1 was right, and 2 × "b" where 0 was right.',
		);
		const referee = {
			verdict() {
				throw new Error('A session was lost');
			},
		};
		expect(tallyOf({tokenRequests: [], calls: [{status: 401}], referee})).toEqual({
			'call answered 401': 1,
			'session lost': 1,
		});
	});
});
