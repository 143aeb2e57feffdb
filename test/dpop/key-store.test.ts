import {IDBFactory, IDBObjectStore as FakeObjectStore} from 'fake-indexeddb';
import {afterEach, describe, expect, vi} from 'vitest';
import {dpop, type DpopKeyPair, type DpopKeyStore, type DpopOptions, type TokenScheme} from '../../src/dpop.ts';
import {StoreError} from '../../src/errors.ts';
import {thumbprintOf} from '../support/dpop-scheme.ts';
import {test} from '../support/test.ts';

afterEach(() => void vi.unstubAllGlobals());

const keysOf = async (schemes: readonly TokenScheme[]): Promise<number> =>
	new Set(await Promise.all(schemes.map(thumbprintOf))).size;

describe('without IndexedDB', () => {
	test('the key lives as long as the scheme: each has its own, from the first call on', async () => {
		const scheme = dpop();
		expect(await keysOf([scheme, scheme, scheme])).toBe(1);
		expect(await keysOf([scheme, dpop()])).toBe(2);
	});
});

describe('with IndexedDB', () => {
	test('all tabs use one key, also if they begin at once', async () => {
		vi.stubGlobal('indexedDB', new IDBFactory());
		expect(await keysOf(Array.from({length: 8}, () => dpop()))).toBe(1);
	});

	test('the key is there again after a reload, and cannot be exported', async () => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		const key = await thumbprintOf(dpop());
		expect(await thumbprintOf(dpop())).toBe(key);
		const {privateKey} = await storedPair(factory, 'ES256');
		await expect(crypto.subtle.exportKey('jwk', privateKey as CryptoKey)).rejects.toThrow();
	});

	test('each algorithm has a key of its own', async () => {
		vi.stubGlobal('indexedDB', new IDBFactory());
		expect(await keysOf([dpop(), dpop({algorithm: 'EdDSA'}), dpop()])).toBe(2);
	});

	test('what is stored and is no key is replaced', async () => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		await thumbprintOf(dpop());
		await write(factory, 'ES256', {privateKey: 'none'});
		expect(await keysOf([dpop(), dpop()])).toBe(1);
		expect(await keysOf([dpop({keyPair: await storedPair(factory, 'ES256')}), dpop()])).toBe(1);
	});

	test.for(['SecurityError', 'InvalidStateError'])(
		'that the browser refuses with %s, the key lives as long as the scheme',
		async name => {
			vi.stubGlobal('indexedDB', {
				open: () => {
					throw new DOMException('refused', name);
				},
			});
			const scheme = dpop();
			expect(await keysOf([scheme, scheme])).toBe(1);
		},
	);

	test('that cannot store keys, the key lives as long as the scheme', async () => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		const put = vi.spyOn(FakeObjectStore.prototype, 'put').mockImplementation(() => {
			throw new DOMException('no keys here', 'DataCloneError');
		});
		const scheme = dpop();
		expect(await keysOf([scheme, scheme])).toBe(1);
		put.mockRestore();
	});

	test('that fails for now, no other key is used, and the next call tries again', async ({canaries}) => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		const key = await thumbprintOf(dpop());
		const scheme = dpop();
		const open = vi.spyOn(factory, 'open').mockImplementationOnce(() => {
			throw new DOMException('Internal error', 'UnknownError');
		});
		const error = await canaries.rejection(thumbprintOf(scheme));
		expect(error).toBeInstanceOf(StoreError);
		expect(error).toMatchObject({code: 'store_read', retryable: true});
		expect(await thumbprintOf(scheme)).toBe(key);
		expect(open).toHaveBeenCalledTimes(2);
	});

	test('that never answers, the call fails at a deadline [F-149]', async ({canaries}) => {
		vi.useFakeTimers();
		try {
			vi.stubGlobal('indexedDB', {open: () => new EventTarget()});
			const failed = canaries.rejection(thumbprintOf(dpop()));
			await vi.advanceTimersByTimeAsync(5_000);
			expect(await failed).toMatchObject({code: 'store_read', retryable: true});
		} finally {
			vi.useRealTimers();
		}
	});
});

describe('a store of one’s own', () => {
	test('is where the key is, and is asked once', async () => {
		let kept: DpopKeyPair | undefined;
		const store = vi.fn<DpopKeyStore>(async keyPair => (kept ??= keyPair));
		const scheme = dpop({store});
		expect(await keysOf([scheme, dpop({store})])).toBe(1);
		expect(await keysOf([scheme, scheme, dpop({keyPair: kept})])).toBe(1);
		expect(store).toHaveBeenCalledTimes(2);
	});

	test.for<readonly [what: string, store: DpopKeyStore]>([
		['fails', () => Promise.reject(new Error('secret'))],
		['throws', () => expect.fail('secret')],
		['refuses as a browser does', () => Promise.reject(new DOMException('secret', 'SecurityError'))],
		['gives back something else', () => ({}) as DpopKeyPair],
	])('that %s fails the call, with an error that does not say more', async ([, store], {canaries}) => {
		const error = await canaries.rejection(thumbprintOf(dpop({store} satisfies DpopOptions)));
		expect(error).toMatchObject({code: 'store_read', retryable: true});
		expect(String(error)).not.toContain('secret');
		expect(error).not.toHaveProperty('cause');
	});
});

function storedPair(factory: IDBFactory, name: string): Promise<DpopKeyPair> {
	return transact(factory, 'readonly', keys => keys.get(name)) as Promise<DpopKeyPair>;
}

async function write(factory: IDBFactory, name: string, value: unknown): Promise<void> {
	await transact(factory, 'readwrite', keys => keys.put(value, name));
}

function transact(
	factory: IDBFactory,
	mode: IDBTransactionMode,
	operate: (keys: IDBObjectStore) => IDBRequest<DpopKeyPair> | IDBRequest<IDBValidKey>,
): Promise<unknown> {
	return new Promise((resolve, reject) => {
		const opening = factory.open('regrant-dpop');
		opening.addEventListener('success', () => {
			const database = opening.result;
			const request = operate(database.transaction('keys', mode).objectStore('keys'));
			request.addEventListener('success', () => {
				database.close();
				resolve(request.result);
			});
			request.addEventListener('error', () => reject(new Error('failed')));
		});
	});
}
