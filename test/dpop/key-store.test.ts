import {IDBDatabase as FakeDatabase, IDBFactory, IDBObjectStore as FakeObjectStore} from 'fake-indexeddb';
import {afterEach, describe, expect, vi} from 'vitest';
import {dpop, type DpopKeyPair, type DpopKeyStore, type DpopOptions, type TokenScheme} from '../../src/dpop.ts';
import {StoreError} from '../../src/errors.ts';
import {thumbprintOf} from '../support/dpop-scheme.ts';
import {test} from '../support/test.ts';

afterEach(() => void vi.unstubAllGlobals());

const p384 = await crypto.subtle.generateKey({name: 'ECDSA', namedCurve: 'P-384'}, false, ['sign', 'verify']);

const keysOf = async (schemes: readonly TokenScheme[]): Promise<number> =>
	new Set(await Promise.all(schemes.map(scheme => thumbprintOf(scheme)))).size;

describe('without IndexedDB', () => {
	test('without IndexedDB, each scheme has a key of its own, from the first call on', async () => {
		const scheme = dpop();
		expect(await keysOf([scheme, scheme, scheme])).toBe(1);
		expect(await keysOf([scheme, dpop()])).toBe(2);
	});
});

describe('with IndexedDB', () => {
	test('with IndexedDB, all tabs use one key, even if they start at the same time', async () => {
		vi.stubGlobal('indexedDB', new IDBFactory());
		expect(await keysOf(Array.from({length: 8}, () => dpop()))).toBe(1);
	});

	test('with IndexedDB, the key is still there after a reload, and cannot be exported', async () => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		const key = await thumbprintOf(dpop());
		expect(await thumbprintOf(dpop())).toBe(key);
		const {privateKey} = await storedPair(factory, 'ES256');
		await expect(crypto.subtle.exportKey('jwk', privateKey as CryptoKey)).rejects.toThrow();
	});

	test('the key is on the disk before it is used, so a power failure cannot lose it and keep the token', async () => {
		vi.stubGlobal('indexedDB', new IDBFactory());
		const transaction = vi.spyOn(FakeDatabase.prototype, 'transaction');
		await thumbprintOf(dpop());
		// The first transaction creates the table.
		expect(transaction.mock.calls.slice(1)).toEqual([['keys', 'readwrite', {durability: 'strict'}]]);
		transaction.mockRestore();
	});

	test('with IndexedDB, each algorithm has a key of its own', async () => {
		vi.stubGlobal('indexedDB', new IDBFactory());
		expect(await keysOf([dpop(), dpop({algorithm: 'EdDSA'}), dpop()])).toBe(2);
	});

	test('a scheme whose key was deleted and replaced takes the new one at its next token request, and for all calls', async () => {
		vi.stubGlobal('indexedDB', new IDBFactory());
		const old = dpop();
		const key = await thumbprintOf(old);
		// The user deletes the data of the site, and then logs in in another tab.
		vi.stubGlobal('indexedDB', new IDBFactory());
		const next = await thumbprintOf(dpop());
		expect(next).not.toBe(key);
		expect(await thumbprintOf(old, 'token')).toBe(key);
		expect(await thumbprintOf(old)).toBe(next);
		expect(await thumbprintOf(old, 'token')).toBe(next);
	});

	test('a scheme whose key was deleted stores it again at its next token request', async () => {
		vi.stubGlobal('indexedDB', new IDBFactory());
		const scheme = dpop();
		const key = await thumbprintOf(scheme);
		vi.stubGlobal('indexedDB', new IDBFactory());
		expect(await thumbprintOf(scheme)).toBe(key);
		expect(await thumbprintOf(dpop())).toBe(key);
	});

	test.for([undefined, null])('a scheme keeps its key in memory where indexedDB is %s', async value => {
		vi.stubGlobal('indexedDB', value);
		const scheme = dpop();
		expect(await thumbprintOf(scheme)).toBe(await thumbprintOf(scheme));
		expect(await thumbprintOf(dpop())).not.toBe(await thumbprintOf(scheme));
	});

	test('a database of the same name that somebody else has created is used', async () => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		await new Promise<void>(resolve => {
			const request = factory.open('regrant-dpop');
			request.addEventListener('success', () => {
				request.result.close();
				resolve();
			});
		});
		expect(await keysOf([dpop(), dpop(), dpop()])).toBe(1);
		expect(await keysOf([dpop({keyPair: await storedPair(factory, 'ES256')}), dpop()])).toBe(1);
	});

	test('a stored value that is not a key is replaced', async () => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		await thumbprintOf(dpop());
		await write(factory, 'ES256', {privateKey: 'none'});
		expect(await keysOf([dpop(), dpop()])).toBe(1);
		expect(await keysOf([dpop({keyPair: await storedPair(factory, 'ES256')}), dpop()])).toBe(1);
	});

	test.for(['SecurityError', 'InvalidStateError'])(
		'with IndexedDB that the browser refuses with %s, the key lives as long as the scheme',
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

	test('with IndexedDB that cannot store keys, the key lives as long as the scheme', async () => {
		const factory = new IDBFactory();
		vi.stubGlobal('indexedDB', factory);
		const put = vi.spyOn(FakeObjectStore.prototype, 'put').mockImplementation(() => {
			throw new DOMException('no keys here', 'DataCloneError');
		});
		const scheme = dpop();
		expect(await keysOf([scheme, scheme])).toBe(1);
		put.mockRestore();
	});

	test('with IndexedDB that fails for now, no other key is used, and the next call tries again', async ({canaries}) => {
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

	test('with IndexedDB that never answers, the call fails at a deadline [F-149]', async ({canaries}) => {
		vi.useFakeTimers();
		try {
			const opened = Promise.withResolvers<void>();
			const open = (): EventTarget => {
				opened.resolve();
				return new EventTarget();
			};
			vi.stubGlobal('indexedDB', {open});
			const failed = canaries.rejection(thumbprintOf(dpop()));
			await opened.promise;
			await vi.advanceTimersByTimeAsync(5_000);
			expect(await failed).toMatchObject({code: 'store_read', retryable: true});
		} finally {
			vi.useRealTimers();
		}
	});
});

describe('a store of one’s own', () => {
	test('a store of one’s own is where the key is', async () => {
		let kept: DpopKeyPair | undefined;
		const store: DpopKeyStore = async keyPair => (kept ??= keyPair);
		const scheme = dpop({store});
		expect(await keysOf([scheme, dpop({store})])).toBe(1);
		expect(await keysOf([scheme, scheme, dpop({keyPair: kept})])).toBe(1);
	});

	test('a store of one’s own is asked before the first request and before each token request, and by no call of an API', async () => {
		const store = vi.fn<DpopKeyStore>(keyPair => keyPair);
		const scheme = dpop({store});
		const call = async (token: string | undefined): Promise<void> =>
			scheme.apply({url: 'https://api.example/', method: 'GET', headers: new Headers()}, token);
		for (const token of ['a', 'a', undefined, 'b', undefined]) await call(token);
		expect(store).toHaveBeenCalledTimes(3);
	});

	test('that hangs later on holds a token request up for a second alone', async () => {
		const store = vi.fn<DpopKeyStore>(keyPair => keyPair);
		const scheme = dpop({store});
		const key = await thumbprintOf(scheme);
		const asked = Promise.withResolvers<void>();
		store.mockImplementation(() => {
			asked.resolve();
			return new Promise(() => {});
		});
		vi.useFakeTimers();
		try {
			const proven = thumbprintOf(scheme);
			await asked.promise;
			await vi.advanceTimersByTimeAsync(1_000);
			expect(await proven).toBe(key);
		} finally {
			vi.useRealTimers();
		}
	});

	test.for<readonly [what: string, fail: DpopKeyStore]>([
		['fails', () => Promise.reject(new Error('offline'))],
		['gives back something else', () => ({}) as DpopKeyPair],
	])('a store of one’s own that %s later on changes nothing: the key is known', async ([, fail]) => {
		const store = vi.fn<DpopKeyStore>(keyPair => keyPair);
		const scheme = dpop({store});
		const key = await thumbprintOf(scheme);
		store.mockImplementation(fail);
		expect(await thumbprintOf(scheme)).toBe(key);
	});

	test.for<readonly [what: string, store: DpopKeyStore]>([
		['fails', () => Promise.reject(new Error('secret'))],
		['throws', () => expect.fail('secret')],
		['refuses as a browser does', () => Promise.reject(new DOMException('secret', 'SecurityError'))],
		['gives back something else', () => ({}) as DpopKeyPair],
		['gives back what JSON leaves of a key', keyPair => JSON.parse(JSON.stringify(keyPair)) as DpopKeyPair],
		['gives back a key of another curve', () => p384],
	])(
		'a key store of your own that %s fails the call, and the error reveals nothing else',
		async ([, store], {canaries}) => {
			const error = await canaries.rejection(thumbprintOf(dpop({store} satisfies DpopOptions)));
			expect(error).toMatchObject({code: 'store_read', retryable: true});
			expect(String(error)).not.toContain('secret');
			expect(error).not.toHaveProperty('cause');
		},
	);
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

describe('a platform that makes no such keys', () => {
	const reject = async (): Promise<never> => {
		throw new DOMException('Unrecognized name.', 'NotSupportedError');
	};
	test.for<readonly [what: string, subtle: unknown]>([
		['without https', undefined],
		['without Ed25519', {generateKey: reject}],
	])('a platform that makes no such keys is told of with the remedy: %s', async ([, subtle], {canaries}) => {
		vi.stubGlobal('crypto', {subtle});
		const error = await canaries.rejection(thumbprintOf(dpop({algorithm: 'EdDSA'})));
		expect(error).toMatchObject({
			code: 'invalid_options',
			message: 'dpop() needs WebCrypto with EdDSA, which is not here: does the page have https?',
		});
	});
});
