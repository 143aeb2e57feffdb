import {createHash} from 'node:crypto';
import {calculateJwkThumbprint, EmbeddedJWK, jwtVerify} from 'jose';
import {allowEveryOrigin} from './cors.ts';
import {type CapturedRequest, type Reply, serve, toReply} from './serve.ts';
import {createStage, type Hook} from './stage.ts';

/** A call of the API, as it arrived. */
export interface DpopCall extends CapturedRequest {
	/** The status of the answer; 0 until it is known. */
	status: number;
	/** The claims of the DPoP proof. Undefined if there was no valid proof. */
	proof?: Readonly<Record<string, unknown>>;
}

/** The user of an access token, and the key that it is bound to. */
export interface BoundToken {
	readonly subject: string;
	readonly jkt: string | undefined;
}

/** An API that only accepts DPoP tokens. */
export interface DpopApi {
	readonly origin: string;
	readonly calls: DpopCall[];
	/**
	Adds a hook that runs before a call is processed. If it returns an answer, that is sent. Returns a function that removes the hook.
	*/
	onCall(hook: Hook<[DpopCall]>): () => void;
	/** Replaces the valid nonce. Every answer has the new one in its header. */
	changeNonce(): void;
	/** Sets whether calls need a nonce from now on. */
	requireNonce(isRequired: boolean): void;
	reset(): void;
	close(): Promise<void>;
}

/**
Starts an API that answers `{subject, body}` on every path. It checks DPoP proofs with `jose` by RFC 9449 §4.3 and §7, and accepts each
proof only once.
*/
export async function startDpopApi(find: (token: string) => Promise<BoundToken | undefined>): Promise<DpopApi> {
	const calls: DpopCall[] = [];
	const stage = createStage<[DpopCall]>();
	const seen = new Set<unknown>();
	let isNonceRequired = true;
	let nonce = crypto.randomUUID();

	const check = async (call: DpopCall): Promise<BoundToken | string> => {
		const {headers, method, url} = call;
		const [, token = ''] = /^DPoP ([!-~]+)$/.exec(headers['authorization'] ?? '') ?? [];
		const bound = await find(token);
		if (!bound) return 'invalid_token';
		const {payload, protectedHeader} = await jwtVerify(headers['dpop'] ?? '', EmbeddedJWK, {
			typ: 'dpop+jwt',
			algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
			maxTokenAge: 60,
			clockTolerance: 5,
			requiredClaims: ['jti'],
		}).catch(() => ({payload: {}, protectedHeader: undefined}) as const);
		const claims: Readonly<Record<string, unknown>> = payload;
		if (!protectedHeader?.jwk) return 'invalid_dpop_proof';
		if (claims['htm'] !== method || claims['htu'] !== url.split('?')[0]) return 'invalid_dpop_proof';
		if (claims['ath'] !== createHash('sha256').update(token).digest('base64url')) return 'invalid_dpop_proof';
		if (seen.has(claims['jti'])) return 'invalid_dpop_proof';
		seen.add(claims['jti']);
		call.proof = claims;
		if (isNonceRequired && claims['nonce'] !== nonce) return 'use_dpop_nonce';
		if ((await calculateJwkThumbprint(protectedHeader.jwk)) !== bound.jkt) return 'invalid_token';
		return bound;
	};

	const answer = async (call: DpopCall): Promise<Reply> => {
		const checked = await check(call);
		const headers: Array<readonly [string, string]> = isNonceRequired ? [['dpop-nonce', nonce]] : [];
		if (typeof checked === 'string') {
			return {status: 401, headers: [...headers, ['www-authenticate', `DPoP error="${checked}"`]]};
		}
		const body = JSON.stringify({subject: checked.subject, body: call.body});
		return {headers: [...headers, ['content-type', 'application/json']], body};
	};

	const served = await serve(
		allowEveryOrigin(async (_request, captured) => {
			const call: DpopCall = {...captured, status: 0};
			calls.push(call);
			const staged = await stage.run(call);
			const reply = staged ? toReply(staged) : await answer(call);
			call.status = reply.status ?? 200;
			return reply;
		}),
	);
	return {
		origin: served.origin,
		calls,
		onCall: stage.add,
		changeNonce() {
			nonce = crypto.randomUUID();
		},
		requireNonce(isRequired) {
			isNonceRequired = isRequired;
		},
		reset() {
			calls.length = 0;
			isNonceRequired = true;
			stage.clear();
		},
		close: served.close,
	};
}
