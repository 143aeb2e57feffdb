import ky from 'ky';
import {type AuthToken, createAuth} from 'regrant';
import {createRecorder} from './recorder.ts';
import {crowd, describeTally, type Tally} from './tally.ts';

interface Session {
	readonly tokenEndpoint: string;
	readonly api: string;
	readonly token: AuthToken;
}

function element(id: string): HTMLElement {
	const found = document.getElementById(id);
	if (!found) throw new Error(`The page has no ${id}`);
	return found;
}

async function callAtOnce(): Promise<string[]> {
	const {tokenEndpoint, api: baseUrl, token} = await ky.post('/session').json<Session>();
	const recorder = createRecorder();
	const auth = createAuth({tokenEndpoint, clientId: 'app', fetch: recorder.fetch});
	await auth.setToken(token);
	const api = ky.extend({baseUrl, fetch: recorder.fetch, hooks: auth.hooks});
	await Promise.all(Array.from({length: crowd}, () => api.get('accounts')));
	return [...recorder.lines(), describeTally(await ky.get('/tally').json<Tally>())];
}

async function show(id: string, lines: () => Promise<string[]>): Promise<void> {
	const output = element(id);
	output.textContent = '…';
	try {
		output.textContent = (await lines()).join('\n').trim();
	} catch (error) {
		output.textContent = String(error);
	}
}

element('run').addEventListener('click', () => void show('result', callAtOnce));
void show('trace', () => ky.get('/trace').json<string[]>());
