import {type Client, clients} from './clients.ts';

/** The cost of a call by each client, as a multiple of the first one's. */
export type Ratios = Readonly<Record<string, number>>;

/** How much is measured. */
export interface Effort {
	/** At most this many, at least one. */
	readonly rounds: number;
	/** No round begins after this. */
	readonly seconds: number;
	/** Made one after another, or at once, in each round. */
	readonly calls: number;
}

/** One call of one client by `method`, in microseconds, and the ratios. */
export interface CallCosts {
	readonly microseconds: number;
	readonly ratios: Ratios;
	readonly rounds: number;
}

const answer = async (): Promise<Response> => Response.json({accounts: []});

/**
Measures calls that need no network. Each round has all clients in it, in changing order, and what counts of a client is its
lower decile: on a busy machine most rounds have something else in them, and a tenth of many short ones has not.
*/
export async function measureCalls(method: keyof Client, effort: Effort): Promise<CallCosts> {
	const place = {fetch: answer, origin: 'https://api.example.com', access_token: 'a'.repeat(40), refresh_token: 'r'};
	const names = Object.keys(clients);
	const ready = new Map<string, Client>();
	for (const [name, create] of Object.entries(clients)) ready.set(name, await create(place));
	const times = new Map<string, number[]>(names.map(name => [name, []]));
	let rounds = 0;
	for (const round of roundsOf(effort)) {
		rounds = round;
		for (const index of names.keys()) {
			const name = names[(index + round) % names.length] ?? '';
			const client = ready.get(name);
			if (!client) continue;
			const time = await timeOf(client, method, effort.calls);
			if (round > 0) times.get(name)?.push(time / effort.calls);
		}
	}
	const costs = names.map(name => [name, lowerDecile(times.get(name) ?? [])] as const);
	const base = costs[0]?.[1] ?? 0;
	return {
		microseconds: base * 1000,
		ratios: Object.fromEntries(costs.map(([name, cost]) => [name, cost / base])),
		rounds,
	};
}

/** The numbers of the rounds. The one with number 0 counts for nothing: it warms up. */
export function* roundsOf({rounds, seconds}: Effort): Generator<number> {
	const end = performance.now() + seconds * 1000;
	for (let round = 0; round <= rounds && (round < 2 || performance.now() < end); round++) yield round;
}

async function timeOf(client: Client, method: keyof Client, calls: number): Promise<number> {
	const start = performance.now();
	for (let call = 0; call < calls; call++) await client[method]();
	return performance.now() - start;
}

/** The middle one, or 0 of none. */
export function median(values: readonly number[]): number {
	return quantile(values, 0.5);
}

/** The one below which a tenth of them is, or 0 of none. */
export function lowerDecile(values: readonly number[]): number {
	return quantile(values, 0.1);
}

function quantile(values: readonly number[], share: number): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}
