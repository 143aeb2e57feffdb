import {setTimeout as sleep} from 'node:timers/promises';
import type {Adapter, AdapterFactory, AdapterPayload} from 'oidc-provider';

/** Options of the storage of a test's authorization server. */
export interface MemoryAdapterOptions {
	/** How many milliseconds each access takes. Default: 0. A higher value makes races between requests likely. */
	readonly latency?: number;
	/**
	Called if a refresh token is consumed a second time. With latency, two requests can both find it unused. The provider checks before it
	consumes, so it then answers both and notices nothing.
	*/
	readonly onSecondConsumption?: () => void;
}

/**
Creates the storage of one provider. The provider's own adapter is limited to 1,000 rows, and then evicts valid grants. This one has no
limit.
*/
export function createMemoryAdapter({latency = 0, onSecondConsumption}: MemoryAdapterOptions = {}): AdapterFactory {
	const rows = new Map<string, AdapterPayload>();
	const grants = new Map<string, Set<string>>();
	const access = async (): Promise<void> => {
		if (latency > 0) await sleep(latency);
	};
	const findWhere = async (
		model: string,
		field: 'uid' | 'userCode',
		value: string,
	): Promise<AdapterPayload | undefined> => {
		await access();
		for (const [key, row] of rows) if (key.startsWith(`${model}:`) && row[field] === value) return row;
		return undefined;
	};
	return (model: string): Adapter => ({
		async upsert(id, payload) {
			await access();
			const key = `${model}:${id}`;
			rows.set(key, payload);
			const {grantId} = payload;
			if (grantId !== undefined) grants.set(grantId, (grants.get(grantId) ?? new Set()).add(key));
		},
		async find(id) {
			await access();
			const row = rows.get(`${model}:${id}`);
			return row && {...row};
		},
		findByUid: uid => findWhere(model, 'uid', uid),
		findByUserCode: userCode => findWhere(model, 'userCode', userCode),
		async destroy(id) {
			await access();
			rows.delete(`${model}:${id}`);
		},
		async consume(id) {
			await access();
			const row = rows.get(`${model}:${id}`);
			if (row?.consumed) onSecondConsumption?.();
			if (row) row.consumed = Math.floor(Date.now() / 1000);
		},
		async revokeByGrantId(grantId) {
			await access();
			const keys = grants.get(grantId) ?? [];
			for (const key of keys) if (key.startsWith(`${model}:`)) rows.delete(key);
		},
	});
}
