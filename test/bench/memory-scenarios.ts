import {openAsBlob} from 'node:fs';
import {mkdtemp, open, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import ky, {type KyInstance} from 'ky';
import {createAuth} from 'regrant';

/** How much a scenario does: a number of calls, or a number of bytes. */
export interface Task {
	readonly scenario: keyof typeof scenarios;
	readonly contender: keyof typeof contenders;
	readonly amount: number;
	readonly origin: string;
}

/** A client of an API. */
interface Contender {
	readonly api: KyInstance;
	/** Sends a GET. After a 401, sends it once more with a new token. */
	get(path: string): Promise<Response>;
}

const token = {access_token: 'access-0', refresh_token: 'refresh-0', token_type: 'Bearer', expires_in: 3600};

/** Bare ky, which makes the same requests by hand, and regrant. */
export const contenders = {
	ky: async (origin: string): Promise<Contender> => {
		let {access_token, refresh_token} = token;
		const api = ky.create({baseUrl: origin, retry: 0, timeout: false});
		const send = async (path: string): Promise<Response> =>
			api.get(path, {headers: {authorization: `Bearer ${access_token}`}, throwHttpErrors: false});
		return {
			api: api.extend({headers: {authorization: `Bearer ${access_token}`}}),
			get: async path => {
				const response = await send(path);
				if (response.status !== 401) return response;
				await response.body?.cancel();
				const body = new URLSearchParams({grant_type: 'refresh_token', refresh_token, client_id: 'app'});
				({access_token, refresh_token} = await api.post('token', {body}).json<typeof token>());
				return send(path);
			},
		};
	},
	regrant: async (origin: string): Promise<Contender> => {
		const auth = createAuth({tokenEndpoint: `${origin}/token`, clientId: 'app'});
		await auth.setToken(token);
		const api = ky.create({baseUrl: origin, retry: 0, timeout: false, hooks: auth.hooks});
		return {api, get: async path => api.get(path)};
	},
} as const;

/** How many calls are aborted at once. */
const crowd = 50;

/** What is measured. Each scenario resolves with the number of calls or bytes. */
export const scenarios = {
	'auth retries': async ({get}: Contender, amount: number): Promise<number> => {
		let answered = 0;
		for (let calls = 0; calls < amount; calls++) {
			const response = await get('once');
			await response.text();
			if (response.ok) answered++;
		}
		return answered;
	},
	'abandoned calls': async ({api}: Contender, amount: number): Promise<number> => {
		let abandoned = 0;
		while (abandoned < amount) {
			const leaving = new AbortController();
			const {signal} = leaving;
			const calls = Array.from({length: Math.min(crowd, amount - abandoned)}, async () => api.get('never', {signal}));
			const ends = Promise.allSettled(calls);
			// Waits until the requests have been sent.
			await sleep(20);
			leaving.abort();
			abandoned += (await ends).filter(({status}) => status === 'rejected').length;
		}
		return abandoned;
	},
	download: async ({api}: Contender, amount: number): Promise<number> => {
		const {body} = await api.get('down', {searchParams: {bytes: amount}});
		let bytes = 0;
		for await (const part of body ?? []) bytes += part.length;
		return bytes;
	},
	upload: async ({api}: Contender, amount: number): Promise<number> => {
		const part = new Uint8Array(64 * 1024);
		let bytes = 0;
		const body = new ReadableStream<Uint8Array>({
			pull(controller) {
				const next = part.subarray(0, Math.min(part.length, amount - bytes));
				bytes += next.length;
				if (next.length > 0) controller.enqueue(next);
				else controller.close();
			},
		});
		const response = await api.post('up', {body, duplex: 'half'} as object); // the platform's types lack `duplex`
		await response.text();
		return bytes;
	},
	'upload of a Blob': async ({api}: Contender, amount: number): Promise<number> => {
		const folder = await mkdtemp(join(tmpdir(), 'regrant-blob-'));
		try {
			const path = join(folder, 'blob');
			const file = await open(path, 'w');
			await file.truncate(amount);
			await file.close();
			const body = await openAsBlob(path);
			await (await api.post('up', {body})).text();
			return body.size;
		} finally {
			await rm(folder, {recursive: true});
		}
	},
} as const;
