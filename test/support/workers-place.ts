import {durableObjectStore, type VaultRequest, type VaultStub} from '../../src/stores/cloudflare.ts';
import type {TokenStore} from '../../src/index.ts';
import type {Place} from './token-store-spec.ts';

/** Short, so that a test need not wait long for the end of a lease. In milliseconds. */
export const shortLease = 1_000;

/** A message to a vault. */
export function messageOf(message: unknown, signal: AbortSignal | null = null): VaultRequest {
	return {method: 'POST', body: JSON.stringify(message), signal: signal as never}; // as the type says
}

/** Sends a message to a vault past every store. */
export async function tellVault(stub: VaultStub, message: unknown, signal?: AbortSignal): Promise<unknown> {
	const answer = await stub.fetch('https://token-vault/', messageOf(message, signal));
	const text = await answer.text();
	if (!answer.ok) throw new Error(`The vault refused: ${text}`);
	return JSON.parse(text);
}

/** A record in a vault of its own, wherever the stub comes from. */
export function createVaultPlace(stub: () => VaultStub): Place {
	const holder = (reach = stub): TokenStore => durableObjectStore(reach, {lease: shortLease});
	return {
		holder: () => holder(),
		peek: async () => ((await tellVault(stub(), {op: 'read'})) as string | null) ?? undefined,
		poke: async text => void (await tellVault(stub(), {op: 'write', text})),
		abandonLock: async () => void (await tellVault(stub(), {op: 'take', owner: 'gone', lease: shortLease})),
		breakable: async () => {
			let isBroken = false;
			const reach = (): VaultStub => {
				if (isBroken) throw new Error('Not to be reached: hunter2hunter2');
				return stub();
			};
			return {
				store: holder(reach),
				breaks: async () => {
					isBroken = true;
				},
				mends: async () => {
					isBroken = false;
				},
			};
		},
	};
}
