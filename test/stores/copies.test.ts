import {afterEach, describe, expect, vi} from 'vitest';
import type * as regrant from '../../src/index.ts';
import {appOptions, createSharedRecord, expired, outcomeOf} from '../support/scenario.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** Loads the package once more, as when two versions or two bundles of it are installed. */
async function loadCopy(): Promise<typeof regrant> {
	vi.resetModules();
	return import('../../src/index.ts');
}

afterEach(() => void vi.resetModules());

describe('two copies of the package', () => {
	test('two copies of the package do not share one store: the second one says so before anything is sent [F-147]', async ({
		server,
	}) => {
		const [one, other] = [await loadCopy(), await loadCopy()];
		expect(one.createAuth).not.toBe(other.createAuth);
		const options = appOptions(server);
		for (const store of [one.memoryStore(), one.customStore(createSharedRecord().realm())]) {
			const auth = one.createAuth({...options, store});
			await auth.setToken({...(await server.mint()), ...expired});
			expect(() => other.createAuth({...options, store})).toThrow(
				expect.objectContaining({code: 'invalid_options', message: expect.stringContaining('copy of regrant')}),
			);
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		}
		expect(server.tokenRequests).toHaveLength(2);
	});

	test('two copies of the package make one refresh of one shared record, each with a store of its own [F-147]', async ({
		server,
	}) => {
		const shared = createSharedRecord();
		const auths = [await loadCopy(), await loadCopy()].map(({createAuth, customStore}) =>
			createAuth({...appOptions(server), store: customStore(shared.realm())}),
		);
		await auths[0]?.setToken({...(await server.mint()), ...expired});
		const calls = auths.flatMap(auth => [auth.fetch(`${server.api}/me`), auth.fetch(`${server.api}/me`)]);
		expect((await Promise.all(calls)).map(({status}) => status)).toEqual([200, 200, 200, 200]);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('two copies of the package know each other’s errors [F-147]', async ({server}) => {
		const [one, other] = [await loadCopy(), await loadCopy()];
		const auth = one.createAuth(appOptions(server));
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
		const error = await auth.getToken().catch((error: unknown) => error);
		expect([other.isRegrantError(error), other.isSignedOut(error)]).toEqual([true, true]);
	});
});
