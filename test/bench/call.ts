import {type Client, clients} from './clients.ts';

/** The cost of a call for each client, as a multiple of the first client's cost. */
export type Ratios = Readonly<Record<string, number>>;

/** How long to measure, and with how many calls. */
export interface Effort {
	/** The most rounds, without the warm-up. At least one runs. */
	readonly rounds: number;
	/** No further round starts after this many seconds. */
	readonly seconds: number;
	/** The number of calls in each round, whether sequential or concurrent. */
	readonly calls: number;
}

/** The cost of one call by each client, in microseconds, and the ratios. */
export interface CallCosts {
	readonly microseconds: number;
	readonly ratios: Ratios;
	readonly rounds: number;
}

const answer = async (): Promise<Response> => Response.json({accounts: []});

/**
Measures calls without a network. Each round runs all clients, in changing order. A client's result is its lower decile: on a busy machine,
most rounds are disturbed, but a tenth of many short rounds is not.
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

/** The numbers of the rounds. Round 0 is a warm-up, and does not count. */
export function* roundsOf({rounds, seconds}: Effort): Generator<number> {
	const end = performance.now() + seconds * 1000;
	for (let round = 0; round <= rounds && (round < 2 || performance.now() < end); round++) yield round;
}

async function timeOf(client: Client, method: keyof Client, calls: number): Promise<number> {
	const start = performance.now();
	for (let call = 0; call < calls; call++) await client[method]();
	return performance.now() - start;
}

/** The median, or 0 of an empty list. */
export function median(values: readonly number[]): number {
	return quantile(values, 0.5);
}

/** The lower decile, or 0 of an empty list. */
export function lowerDecile(values: readonly number[]): number {
	return quantile(values, 0.1);
}

function quantile(values: readonly number[], share: number): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}
