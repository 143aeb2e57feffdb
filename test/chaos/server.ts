// An authorization server and an API in a process of their own, with injected faults. `startServer` starts it.
import process from 'node:process';
import {startAuthorizationServer} from '../support/authorization-server.ts';
import {createLedger} from './ledger.ts';
import {createRandom} from './random.ts';
import type {Answer, Question, ServerOptions} from './server-process.ts';
import {brew} from './weather.ts';

const {seed, timeout} = JSON.parse(process.argv[2] ?? '') as ServerOptions; // written by `startServer`

const server = await startAuthorizationServer({accessTokenSeconds: 60});
const ledger = createLedger({timeout});
const weather = brew(server, {random: createRandom(seed), ledger, timeout, clocksJump: true, endsTokens: true});
let grants = 0;
let revocations = 0;
let failures = 0;

/** Deletes the recorded requests, which would otherwise fill the memory. */
function forget(): void {
	grants += server.tokenRequests.length;
	revocations += server.events.filter(event => event === 'grant.revoked').length;
	failures += server.events.filter(event => event === 'server_error').length;
	for (const list of [server.tokenRequests, server.calls, server.events]) list.length = 0;
}

async function answer({ask}: Question): Promise<Answer> {
	switch (ask.what) {
		case 'mint': {
			// Does not ask for an ID token, because signing it takes time.
			const token = await server.mint({scope: 'offline_access /accounts.read'});
			ledger.open(token);
			return {token};
		}
		case 'fate':
			return {fate: ledger.fateOf(ask.refreshToken)};
		case 'calm':
			weather.calm(ask.isCalm);
			return {};
		case 'tally':
			forget();
			return {
				tally: {
					...ledger.account(),
					grants,
					revocations,
					failures,
					faults: weather.faults,
					unexcused: ledger.unexcused,
				},
			};
		default:
			return ask satisfies never;
	}
}

process.on('message', (question: Question) => {
	void answer(question).then(given => process.send?.({id: question.id, ...given}));
});
process.once('disconnect', () => process.exit());
setInterval(forget, 1000).unref();
process.send?.({id: 0, place: {tokenEndpoint: server.tokenEndpoint, api: server.api}} satisfies Answer & {id: number});
