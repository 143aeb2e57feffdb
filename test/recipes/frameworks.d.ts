// Declarations of the parts of Next.js and SvelteKit that the recipes use. Neither is installed here.
declare module 'next/headers' {
	interface Cookies {
		get(name: string): {readonly value: string} | undefined;
		set(
			name: string,
			value: string,
			options: {readonly httpOnly: boolean; readonly secure: boolean; readonly sameSite: 'lax'},
		): unknown;
	}

	export function cookies(): Promise<Cookies>;
}

declare module '@sveltejs/kit' {
	export interface RequestEvent {
		readonly fetch: typeof fetch;
		readonly url: URL;
		readonly cookies: {
			get(name: string): string | undefined;
			set(name: string, value: string, options: {readonly path: string}): void;
		};
		readonly locals: App.Locals;
	}

	export type Handle = (input: {
		readonly event: RequestEvent;
		readonly resolve: (event: RequestEvent) => Response | Promise<Response>;
	}) => Response | Promise<Response>;
}

/** The declaration that the recipe asks its reader to put into `src/app.d.ts`. */
declare namespace App {
	interface Locals {
		// oxlint-disable-next-line typescript/consistent-type-imports -- an import would make this file a module, which can declare no other
		auth?: import('regrant').Auth | undefined;
	}
}
