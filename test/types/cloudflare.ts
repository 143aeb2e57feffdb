// Checks that Cloudflare's own types and those of `regrant/cloudflare` are assignable to each other.
import type {DurableObjectNamespace, DurableObjectState, DurableObjectStub} from '@cloudflare/workers-types';
import type {TokenStore} from '../../src/index.ts';
import {durableObjectStore, TokenVault, type VaultStub} from '../../src/stores/cloudflare.ts';

declare const plain: DurableObjectNamespace;
/** The declaration that `wrangler types` generates. */
declare const typed: DurableObjectNamespace<TokenVault>;
declare const state: DurableObjectState;

export const stores: readonly TokenStore[] = [
	durableObjectStore(() => plain.get(plain.idFromName('session'))),
	durableObjectStore(() => typed.get(typed.idFromName('session')), {lease: 20_000}),
	durableObjectStore(() => typed.getByName('session')),
];
export const stub: VaultStub = plain.getByName('session') satisfies DurableObjectStub;
export const vault = new TokenVault(state);

// @ts-expect-error: a stub is dead in the next request, so that a function is needed
durableObjectStore(plain.getByName('session'));
// @ts-expect-error: no such option
durableObjectStore(() => plain.getByName('session'), {timeout: 1});
// @ts-expect-error: a vault needs its storage
export const broken = new TokenVault({});
