import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import ky from 'ky';
import {type Effort, lowerDecile, roundsOf} from './call.ts';
import {type Client, clients, type Place} from './clients.ts';

/** The outcome of many calls at once with an expired access token. */
export interface Load {
	readonly name: string;
	/** Token requests that the server counted. */
	readonly grants: number;
	/** Requests to the API that the server counted. */
	readonly calls: number;
	/** Calls that the client answered. */
	readonly answered: number;
	/** Milliseconds, lower decile of the rounds. */
	readonly milliseconds: number;
	/** The time, divided by the time of bare ky for the same requests. */
	readonly ratio: number;
	readonly rounds: number;
}

type Session = Pick<Place, 'access_token' | 'refresh_token'>;
type Run = Omit<Load, 'name' | 'ratio' | 'rounds'>;
type Contender = (place: Place, crowd: number) => Promise<number>;

/** The requests that a session sends, made by hand: all calls with the expired token, one grant, and all calls with the new token. */
const sameRequests = 'ky, the same requests by hand';

const contenders: Readonly<Record<string, Contender>> = {
	[sameRequests]: byHand,
	...Object.fromEntries(
		Object.entries(clients)
			// Leaves out the clients that cannot refresh, and the one with DPoP, because the server here only issues Bearer tokens.
			.filter(([name]) => !/no token|hard-coded|no retry|dpop/.test(name))
			.map(([name, create]): [string, Contender] => [name, async (place, crowd) => all(await create(place), crowd)]),
	),
};

/** Lets each client make its calls at once, round by round. The server runs in its own thread. */
export async function measureLoad(effort: Effort): Promise<Load[]> {
	const worker = new Worker(new URL('load-server.ts', import.meta.url));
	try {
		const [origin] = (await once(worker, 'message')) as [string]; // the thread only posts its origin
		const runs = new Map<string, Run[]>(Object.keys(contenders).map(name => [name, []]));
		for (const round of roundsOf(effort)) {
			for (const [name, contender] of Object.entries(contenders)) {
				const run = await runOnce(origin, contender, effort.calls);
				if (round > 0) runs.get(name)?.push(run); // the first round opens the connections and does not count
			}
		}
		return toLoads(runs);
	} finally {
		await worker.terminate();
	}
}

async function runOnce(origin: string, contender: Contender, crowd: number): Promise<Run> {
	const session = await post<Session>(origin, '/session');
	globalThis.gc?.(); // otherwise the garbage collector would be measured
	const start = performance.now();
	const answered = await contender({fetch, origin, ...session}, crowd);
	const milliseconds = performance.now() - start;
	return {answered, milliseconds, ...(await post<Pick<Run, 'grants' | 'calls'>>(origin, '/tally'))};
}

async function post<Answer>(origin: string, path: string): Promise<Answer> {
	return (await (await fetch(origin + path, {method: 'POST'})).json()) as Answer; // the format is defined in load-server.ts
}

async function all(client: Pick<Client, 'get'>, crowd: number): Promise<number> {
	const results = await Promise.allSettled(Array.from({length: crowd}, () => client.get()));
	return results.filter(({status}) => status === 'fulfilled').length;
}

async function byHand(place: Place, crowd: number): Promise<number> {
	const refused = ky.create({baseUrl: place.origin, throwHttpErrors: false});
	const withToken =
		(token: string): Client['get'] =>
		async () => {
			const response = await refused.get('accounts', {headers: {authorization: `Bearer ${token}`}});
			return response.ok ? response.json() : response.body?.cancel();
		};
	await all({get: withToken(place.access_token)}, crowd);
	const {access_token} = await refused.post('token').json<Session>();
	return all({get: withToken(access_token)}, crowd);
}

function toLoads(runs: ReadonlyMap<string, readonly Run[]>): Load[] {
	const cost = (own: readonly Run[]): number => lowerDecile(own.map(({milliseconds}) => milliseconds));
	const base = cost(runs.get(sameRequests) ?? []);
	return [...runs].map(([name, own]) => ({
		name,
		rounds: own.length,
		grants: Math.max(...own.map(({grants}) => grants)),
		calls: Math.max(...own.map(({calls}) => calls)),
		answered: Math.min(...own.map(({answered}) => answered)),
		milliseconds: cost(own),
		ratio: cost(own) / base,
	}));
}
