import {durableObjectDriver, type VaultRequest, type VaultStub} from '../../src/stores/durable-object-driver.ts';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';
import {TokenVault} from '../../src/stores/token-vault.ts';
import type {Place} from './token-store-spec.ts';

/** A short lease in milliseconds, so that tests do not wait long for its end. A busy machine must not make a holder stand still for longer. */
export const shortLease = 3_000;

/** Creates a message to a vault. */
export function messageOf(message: unknown, signal: AbortSignal | null = null): VaultRequest {
	return {method: 'POST', body: JSON.stringify(message), cf: {regrant: true}, signal: signal as never}; // VaultRequest has this type
}

/** Sends a message to a vault directly, without a store. */
export async function tellVault(stub: VaultStub, message: unknown, signal?: AbortSignal): Promise<unknown> {
	const answer = await stub.fetch('https://token-vault/', messageOf(message, signal));
	const text = await answer.text();
	if (!answer.ok) throw new Error(`The vault refused: ${text}`);
	return JSON.parse(text);
}

/** Creates a vault in this process, without workerd. */
export function createMemoryVault(): {
	readonly vault: TokenVault;
	readonly stub: VaultStub;
	/** The stored values by name. */
	readonly stored: ReadonlyMap<string, unknown>;
	/** When the alarm is due, in milliseconds since the epoch. */
	alarm(): number | null;
} {
	const stored = new Map<string, unknown>();
	let alarm: number | null = null;
	const vault = new TokenVault({
		storage: {
			get: async name => stored.get(name),
			put: async (name, value) => void stored.set(name, value),
			delete: async name => stored.delete(name),
			getAlarm: async () => alarm,
			setAlarm: async time => void (alarm = time),
			deleteAlarm: async () => void (alarm = null),
		},
	});
	return {
		vault,
		stub: {fetch: (address, {cf, ...init}) => vault.fetch(Object.assign(new Request(address, init), {cf}))},
		stored,
		alarm: () => alarm,
	};
}

/** Creates the place of a record in a vault of its own, for any kind of stub. */
export function createVaultPlace(stub: () => VaultStub): Place {
	const holder = (reach = stub): StoreDriver => durableObjectDriver(reach, {lease: shortLease});
	return {
		holder: () => holder(),
		peek: async () => ((await tellVault(stub(), {op: 'read'})) as string | null) ?? undefined,
		poke: async text => void (await tellVault(stub(), {op: 'write', text})),
		abandonLock: async () => void (await tellVault(stub(), {op: 'acquire', owner: 'gone', lease: shortLease})),
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
