// The specification of the shared stores, run inside a worker. Each request runs one test.
import type {VaultStub} from '../../../src/stores/cloudflare.ts';
import {type StoreRunner, tokenStoreSpec} from '../../support/token-store-spec.ts';
import {createVaultPlace} from '../../support/workers-place.ts';

/** What the worker needs for one test. */
export interface SpecRun {
	/** The number of the test. */
	readonly index: number;
	readonly server: {readonly tokenEndpoint: string; readonly revocationEndpoint: string; readonly api: string};
	/** The origin of the test that asked. The worker calls it to mint, expire and count tokens. */
	readonly control: string;
	stubOf(name: string): VaultStub;
}

/** Sorts the property names of records, so that records can be compared as text. */
const sorted = (_: string, value: unknown): unknown =>
	typeof value === 'object' && value !== null && !Array.isArray(value)
		? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
		: value;

function equal(actual: unknown, expected: unknown): void {
	const [is, should] = [actual, expected].map(value => JSON.stringify(value, sorted) ?? 'undefined');
	if (is !== should) throw new Error(`${is} is not ${should}`);
}

/** Runs one test. */
export async function runSpec({index, server, control, stubOf}: SpecRun): Promise<Response> {
	const runs: Array<() => Promise<void>> = [];
	const ask = async <T>(path: string): Promise<T> => (await fetch(control + path, {method: 'POST'})).json();
	const runner: StoreRunner = {
		test: (_, run) => void runs.push(run),
		equal,
		place: async () => {
			const name = crypto.randomUUID();
			return createVaultPlace(() => stubOf(name));
		},
		lacks: ['subscribe'], // Workers do not let one request use a connection of another
		server: {
			tokenEndpoint: () => server.tokenEndpoint,
			revocationEndpoint: () => server.revocationEndpoint,
			api: () => server.api,
			clientId: 'app',
			mint: () => ask('/mint'),
			expire: accessToken => ask(`/expire?${new URLSearchParams({accessToken})}`),
			grants: () => ask('/grants'),
		},
	};
	tokenStoreSpec(runner);
	try {
		await runs[index]?.();
		return new Response('passed');
	} catch (error) {
		return new Response(String((error as Error).stack), {status: 500});
	}
}
