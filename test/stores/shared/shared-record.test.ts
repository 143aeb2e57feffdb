import {expect} from 'vitest';
import {createSharedRecord, readRecord, swapRecord} from '../../../src/stores/shared/shared-record.ts';
import type {StoreDriver} from '../../../src/stores/shared/store-driver.ts';
import type {TokenSet} from '../../../src/token/token-set.ts';
import {test} from '../../support/test.ts';

const use = {
	timeout: 1_000,
	client: 'app',
	parse: (raw: unknown) => (raw as TokenSet | undefined) && {...(raw as TokenSet)},
};
const tokenOf = (access_token: string): TokenSet => ({access_token, token_type: 'Bearer', issued_at: 0});

test('a shared record is unread, synced, unsaved or lagging, as the store reads, takes, refuses or forgets a write', async () => {
	let stored: TokenSet | undefined = tokenOf('first');
	let isRefusing = false;
	const driver: StoreDriver = {
		get: () => stored,
		set: token => {
			if (isRefusing) throw new Error('refused');
			stored = token;
		},
		delete: () => {
			stored = undefined;
		},
	};
	const record = createSharedRecord(driver, () => {});
	const read = async (): Promise<unknown> => {
		await readRecord(record, use);
		return [record.known.state, record.known.token?.access_token];
	};
	expect(record.known.state).toBe('unread');
	expect(await read()).toEqual(['synced', 'first']);
	isRefusing = true;
	await swapRecord(record, use, record.known.token, tokenOf('second'));
	expect(await read()).toEqual(['unsaved', 'second']);
	isRefusing = false;
	expect(await read()).toEqual(['synced', 'second']);
	const taken = stored;
	stored = tokenOf('first');
	expect(await read()).toEqual(['lagging', 'second']);
	stored = taken;
	expect(await read()).toEqual(['synced', 'second']);
});
