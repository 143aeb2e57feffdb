import type {IncomingMessage, ServerResponse} from 'node:http';
import type {ClientMetadata, Configuration, InteractionResults, Provider} from 'oidc-provider';
import {capture} from './serve.ts';

/** The URLs of an app that logs its users in. */
export interface LoginPages {
	/** The URLs to which the browser may come back after a login. */
	readonly redirectUris: readonly string[];
	/** The URLs to which it may come back after a logout. */
	readonly postLogoutRedirectUris?: readonly string[];
}

/** The client of a single-page app. */
export const spa = {clientId: 'spa'} as const;
/** The client of a server with users. */
export const website = {clientId: 'website', secret: 'Gt6nB1-qYz8_Hw3LrP0xKe5m'} as const;
/** The client of a command-line tool. */
export const tool = {clientId: 'tool'} as const;

const interaction = '/interaction/';

const page = (title: string, form: string, button = 'Continue'): string =>
	`<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${form}${button}`;

const form = (action: string, fields: string): string => `<form method="post" action="${action}">${fields}</form>`;

function clientsOf({redirectUris, postLogoutRedirectUris = []}: LoginPages): ClientMetadata[] {
	const pages = {
		grant_types: ['authorization_code', 'refresh_token'],
		redirect_uris: [...redirectUris],
		post_logout_redirect_uris: [...postLogoutRedirectUris],
	};
	return [
		{client_id: spa.clientId, token_endpoint_auth_method: 'none', ...pages},
		{
			client_id: website.clientId,
			client_secret: website.secret,
			token_endpoint_auth_method: 'client_secret_basic',
			...pages,
		},
		{
			client_id: tool.clientId,
			token_endpoint_auth_method: 'none',
			application_type: 'native',
			grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
			response_types: [],
			redirect_uris: [],
		},
	];
}

/** Returns the configuration of the provider for logins. Without it, the provider's own pages would write to the console. */
export function loginConfiguration(pages: LoginPages): Configuration {
	return {
		clients: clientsOf(pages),
		interactions: {url: (_ctx, {uid}) => interaction + uid},
		features: {
			deviceFlow: {
				enabled: true,
				userCodeInputSource: (ctx, input) => {
					ctx.body = page('Enter the code', input, '<button form="op.deviceInputForm">Continue</button>');
				},
				userCodeConfirmSource: (ctx, confirm, _client, _device, code) => {
					const button = '<button form="op.deviceConfirmForm">Continue</button>';
					const abort = '<button form="op.deviceConfirmForm" name="abort" value="yes">Cancel</button>';
					ctx.body = page(`Is this the code: ${code}?`, confirm, button + abort);
				},
				successSource: ctx => {
					ctx.body = page('You are signed in', '', '');
				},
			},
			rpInitiatedLogout: {
				enabled: true,
				logoutSource: (ctx, confirm) => {
					const button = '<button form="op.logoutForm" name="logout" value="yes">Sign out</button>';
					ctx.body = page('Sign out?', confirm, button);
				},
				postLogoutSuccessSource: ctx => {
					ctx.body = page('You are signed out', '', '');
				},
			},
		},
	};
}

/**
A `fetch` that makes device logins poll every second. The provider sets no interval, and the default of five seconds would slow the test
down.
*/
export const fetchEverySecond: typeof fetch = async (input, init) => {
	const response = await fetch(input, init);
	const answer = (await response.json()) as object;
	return Response.json('device_code' in answer ? {...answer, interval: 1} : answer, {status: response.status});
};

/** Whether a request is for one of the pages below. The provider leaves these pages to its user. */
export const isInteraction = ({url = ''}: IncomingMessage): boolean => url.startsWith(interaction);

/** Answers with the login form, and then with the form that asks for consent. */
export async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const {uid, prompt, params, session} = await provider.interactionDetails(request, response);
	const clientId = String(params['client_id']);
	if (request.method === 'GET') {
		const ask = prompt.name === 'login' ? '<label>Name <input name="name"></label>' : '';
		const buttons = '<button>Continue</button><button name="cancel" value="yes">Cancel</button>';
		const title = ask ? 'Sign in' : `May ${clientId} do this?`;
		response.setHeader('content-type', 'text/html');
		response.end(page(title, form(interaction + uid, ask + buttons), ''));
		return;
	}
	const answers = new URLSearchParams((await capture(request, '')).body);
	const finish = async (result: InteractionResults): Promise<void> => {
		await provider.interactionFinished(request, response, result, {mergeWithLastSubmission: false});
	};
	if (answers.has('cancel')) return finish({error: 'access_denied', error_description: 'The user said no'});
	const accountId = answers.get('name');
	if (accountId) return finish({login: {accountId}});
	const grant = new provider.Grant({clientId, ...(session && {accountId: session.accountId})});
	grant.addOIDCScope(String(params['scope']));
	return finish({consent: {grantId: await grant.save()}});
}
