import {allowEveryOrigin} from './cors.ts';
import {type CapturedRequest, type Reply, serve, toReply} from './serve.ts';
import {createStage, type Hook} from './stage.ts';

/** A call of the API, as it arrived. */
export interface ApiCall extends CapturedRequest {
	/** The `Authorization` header. */
	readonly authorization: string | undefined;
	/** The status of the answer; 0 until it is known. */
	status: number;
}

/** The user of an access token. */
export interface Bearer {
	readonly subject: string;
	readonly scopes: ReadonlySet<string>;
}

/** An API that checks tokens, and reports errors as RFC 6750 requires. */
export interface ResourceServer {
	readonly origin: string;
	readonly calls: ApiCall[];
	/**
	Adds a hook that runs before a call is processed. If it returns an answer, that is sent. Returns a function that removes the hook.
	*/
	onCall(hook: Hook<[ApiCall]>): () => void;
	/** Clears the recorded calls and the hooks. */
	reset(): void;
	close(): Promise<void>;
}

const scopes: Readonly<Record<string, string | undefined>> = {
	'GET /accounts': '/accounts.read',
	'POST /accounts': '/accounts.write',
};

/**
Starts an API. `/accounts` needs the scope `/accounts.read` for GET and `/accounts.write` for POST. `/me` accepts every valid token. Each
answers `{subject, body}`, where `body` is the body of the call.
*/
export async function startResourceServer(
	find: (token: string) => Promise<Bearer | undefined>,
): Promise<ResourceServer> {
	const calls: ApiCall[] = [];
	const stage = createStage<[ApiCall]>();
	const served = await serve(
		allowEveryOrigin(async (_request, captured) => {
			const call: ApiCall = {...captured, authorization: captured.headers['authorization'], status: 0};
			calls.push(call);
			const staged = await stage.run(call);
			const reply = staged ? toReply(staged) : await answer(call, find);
			call.status = reply.status ?? 200;
			return reply;
		}),
	);
	return {
		origin: served.origin,
		calls,
		onCall: stage.add,
		reset() {
			calls.length = 0;
			stage.clear();
		},
		close: served.close,
	};
}

async function answer(call: ApiCall, find: (token: string) => Promise<Bearer | undefined>): Promise<Reply> {
	const [pathname = ''] = call.path.split('?');
	const route = `${call.method} ${pathname}`;
	if (pathname !== '/me' && !(route in scopes)) return {status: 404};
	const token = /^bearer +(.*)$/i.exec(call.authorization ?? '')?.[1];
	if (token === undefined) return challenge(401, 'Bearer');
	const bearer = await find(token);
	if (!bearer) return challenge(401, 'Bearer error="invalid_token"');
	const scope = scopes[route];
	if (scope !== undefined && !bearer.scopes.has(scope)) {
		return challenge(403, `Bearer error="insufficient_scope", scope="${scope}"`);
	}
	return {
		headers: [['content-type', 'application/json']],
		body: JSON.stringify({subject: bearer.subject, body: call.body}),
	};
}

function challenge(status: number, value: string): Reply {
	return {status, headers: [['www-authenticate', value]]};
}
