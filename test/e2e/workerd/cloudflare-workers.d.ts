// The declarations that `wrangler types` would write for the workers of the tests and of the playground.
declare module 'cloudflare:workers' {
	/** A namespace of `TokenVault` objects. */
	interface Vaults {
		// oxlint-disable-next-line typescript/consistent-type-imports -- an import would make this file a module, which can declare no other
		getByName(name: string): import('../../../src/stores/cloudflare.ts').VaultStub;
	}

	export const env: {
		readonly VAULT: Vaults;
		/** Where the server is, as JSON. Only in the tests. */
		readonly SERVER: string;
		readonly TOKEN_ENDPOINT: string;
		readonly REVOCATION_ENDPOINT: string;
		readonly CLIENT_ID: string;
		readonly CLIENT_SECRET: string;
		readonly API: string;
		/** The JSON file that Google issues for a service account. */
		readonly GOOGLE_SERVICE_ACCOUNT: string;
		readonly GOOGLE_API: string;
	};
	export function waitUntil(promise: Promise<unknown>): void;
}
