import {spawn} from 'node:child_process';
import {resolve} from 'node:path';
import {describe, expect} from 'vitest';
import type {AuthorizationServer} from '../../support/authorization-server.ts';
import {app} from '../../support/authorization-server.ts';
import {deno} from '../../support/deno.ts';
import {createGate} from '../../support/scenario.ts';
import {once} from '../../support/stage.ts';
import {test} from '../../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** The deadline of a token request, in milliseconds. */
const timeout = 2_000;
const script = 'test/support/stoppable-process.ts';
const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds));

/** The command of each runtime that runs the script. */
const runtimes: Readonly<Record<string, readonly [string, ...string[]]>> = {
	Node: [process.execPath, script],
	Deno: [...deno, script],
	Bun: [resolve('node_modules/.bin/bun'), 'run', script],
};

/** Starts a process that can be stopped, as by a debugger, by memory pressure or by closing a laptop. */
function start(name: string, server: AuthorizationServer, token: object) {
	const {tokenEndpoint, revocationEndpoint} = server;
	const options = {tokenEndpoint, revocationEndpoint, clientId: app.clientId, timeout, token};
	const [command, ...flags] = runtimes[name] ?? [process.execPath];
	// The process gets a group of its own, because the command may be a shell script that starts the runtime.
	const child = spawn(command, [...flags, JSON.stringify(options)], {
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)));
	const ended = new Promise<void>(done => child.on('close', () => done()));
	const signal = (name: NodeJS.Signals): void => {
		try {
			process.kill(-(child.pid ?? 0), name);
		} catch {
			// The process has already ended.
		}
	};
	return {
		signal,
		outcomes: async (): Promise<unknown> => {
			await ended;
			return JSON.parse(/^OUTCOMES (.*)$/m.exec(output)?.[1] ?? JSON.stringify(output));
		},
	};
}

describe.for(Object.keys(runtimes))('%s', name => {
	/**
	How long the process is stopped, in milliseconds: until just after the deadline, and for much longer than any caller waits for a token.
	*/
	test.for([2_150, 8_000])(
		'a process that was stopped for %i ms during a refresh reads the answer that came meanwhile, and the session goes on [F-138]',
		async (stopped, {server}) => {
			const gate = createGate();
			server.onTokenAnswer(once(gate.pass));
			const process = start(name, server, await server.mint());
			try {
				await gate.reached;
				process.signal('SIGSTOP');
				await pause(50);
				// The server has rotated the refresh token. Its response waits in the socket of the stopped process.
				gate.open();
				await pause(stopped);
				process.signal('SIGCONT');
				expect(await process.outcomes()).toEqual(['renewed', 'renewed']);
				expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
			} finally {
				process.signal('SIGKILL');
			}
		},
	);
});
