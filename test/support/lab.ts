import type {ClientMetadata} from 'oidc-provider';
import {app, type AuthorizationServer, awkward, service, startAuthorizationServer} from './authorization-server.ts';
import {accountScopes} from './clients.ts';
import {allowEveryOrigin} from './cors.ts';
import {startDpopApi} from './dpop-api.ts';
import {createTestKey, jwtAlgorithms, type TestKey} from './keys.ts';
import type {LabFacts, LabLog} from '../shared/lab-client.ts';
import {startFaultServer} from './fault-server.ts';
import {type Answer, serve} from './serve.ts';
import {followChain, startTwoServers} from './two-servers.ts';

/** The servers for a run of the shared specification. The run may be in another process or in a browser. */
export interface Lab {
	readonly facts: LabFacts;
	/** Throws if the server has lost a session, or if an unknown path was requested. */
	verdict(): void;
	close(): Promise<void>;
}

/** Returns the registration of a client that authenticates with this key. */
const proverOf = ({algorithm, publicJwk}: TestKey): ClientMetadata => ({
	client_id: `prover-${algorithm}`,
	token_endpoint_auth_method: 'private_key_jwt',
	token_endpoint_auth_signing_alg: algorithm,
	grant_types: ['client_credentials'],
	response_types: [],
	redirect_uris: [],
	scope: accountScopes,
	jwks: {keys: [publicJwk]},
});

const json = (value: unknown): Answer => Response.json(value ?? null);

/** Returns the answer that the query of the request asks for. A request that is held gets its answer when `released` resolves. */
function stage(
	path: string,
	times: Map<string, number>,
	released: Promise<undefined>,
): Answer | Promise<Answer | undefined> | undefined {
	const query = new URL(path, 'http://api').searchParams;
	const count = (times.get(path) ?? 0) + 1;
	times.set(path, count);
	const status = Number(query.get('status') ?? 0);
	if (query.has('held')) return released;
	if (status === 0 || count > Number(query.get('times') ?? Infinity)) return undefined;
	const headers = ['location', 'www-authenticate', 'access-control-expose-headers', 'retry-after'].flatMap(name =>
		query.has(name) ? [[name, query.get(name) ?? ''] as const] : [],
	);
	return {status, headers, body: [204, 304].includes(status) ? null : (query.get('body') ?? '')};
}

/** Starts an authorization server, an API, a foreign origin, and a server by which remote tests control them. */
export async function startLab(): Promise<Lab> {
	const keys = await Promise.all(jwtAlgorithms.map(algorithm => createTestKey(algorithm)));
	const clients = keys.map(proverOf);
	const server: AuthorizationServer = await startAuthorizationServer({accessTokenSeconds: 60, clients});
	const proofApi = await startDpopApi(server.findBound);
	const elsewhere = await serve(allowEveryOrigin(() => ({status: 401, headers: [['www-authenticate', 'Bearer']]})));
	const places = await startTwoServers(allowEveryOrigin(followChain));
	const faults = await startFaultServer();
	const times = new Map<string, number>();
	let holding = Promise.withResolvers<undefined>();
	const release = (): void => holding.resolve(undefined);
	const setUp = (): void => {
		release();
		holding = Promise.withResolvers();
		server.reset();
		elsewhere.requests.length = 0;
		places.reset();
		times.clear();
		const {promise} = holding;
		server.onCall(({path}) => stage(path, times, promise));
		proofApi.reset();
		proofApi.onCall(({path}) => stage(path, times, promise));
		server.onToken(({path}) => stage(path, times, promise));
	};
	setUp();
	const log = (): LabLog => ({
		grants: server.tokenRequests.map(({status, headers, body}) => ({
			status,
			body,
			authorization: headers['authorization'] ?? '',
			type: headers['content-type'] ?? '',
		})),
		revocations: server.revocationRequests.map(({status, body}) => ({status, body, authorization: ''})),
		calls: server.calls.map(({path, method, status, body, authorization = '', headers}) => ({
			path,
			method,
			status,
			body,
			authorization,
			type: headers['content-type'] ?? '',
			ownHeader: headers['x-access-token'] ?? '',
		})),
		proven: proofApi.calls.map(({path, status, body, headers}) => ({
			path,
			status,
			body,
			authorization: headers['authorization'] ?? '',
		})),
		elsewhere: elsewhere.requests
			.filter(({method}) => method !== 'OPTIONS')
			.map(({path, method, body, headers}) => ({
				path,
				method,
				body,
				authorization: headers['authorization'] ?? '',
				hasProof: 'dpop' in headers,
				ownHeader: headers['x-access-token'] ?? '',
			})),
	});
	const routes: Readonly<Record<string, (body: string) => unknown>> = {
		'POST /reset': setUp,
		'POST /release': release,
		'POST /mint': jkt => server.mint(jkt ? {jkt} : {}),
		'POST /expire': body => server.expire(body),
		'POST /is-active': body => server.isActive(body),
		'POST /carried': places.carried,
		'GET /log': log,
	};
	const door = await serve(
		allowEveryOrigin(async (_request, {method, path, body}) => {
			const route = routes[`${method} ${path}`];
			return route ? json(await route(body)) : {status: 404};
		}),
	);
	return {
		facts: {
			door: door.origin,
			tokenEndpoint: server.tokenEndpoint,
			revocationEndpoint: server.revocationEndpoint,
			api: server.api,
			proofApi: proofApi.origin,
			provers: keys.map(({algorithm, pem, jwk}) => ({clientId: `prover-${algorithm}`, algorithm, pem, jwk})),
			elsewhere: elsewhere.origin,
			places: {listed: places.listed, unlisted: places.unlisted},
			faults: faults.door,
			app: app.clientId,
			service,
			awkward,
		},
		verdict() {
			server.referee.verdict();
			if (faults.strays.length > 0) throw new Error(`Nobody expected ${faults.strays.join(', ')}`);
		},
		async close() {
			await Promise.all([
				door.close(),
				elsewhere.close(),
				places.close(),
				faults.close(),
				proofApi.close(),
				server.close(),
			]);
		},
	};
}
