// What regrant/jwt and regrant/dpop promise, tested on every runtime. Both prove that the client has a key, so no secret is sent.
import ky, {type KyInstance} from 'ky';
import {type Auth, type AuthEvent, createAuth, requestToken, type TokenScheme} from 'regrant';
import {dpop, type DpopOptions} from 'regrant/dpop';
import {privateKeyJwt} from 'regrant/jwt';
import type {Runner} from './auth.spec.ts';
import type {Prover} from './lab-client.ts';
import {nameOf, reasonOf} from './outcome.ts';

/** Defines the tests of `privateKeyJwt`. The servers forget their recorded requests before each test. */
export function assertionsSpec({test, equal, lab}: Pick<Runner, 'test' | 'equal' | 'lab'>): void {
	const grant = {grant_type: 'client_credentials', scope: '/accounts.read'} as const;
	const clientOf = (
		{clientId}: Prover,
		key: Parameters<typeof privateKeyJwt>[0],
		options?: object,
	): Parameters<typeof requestToken>[0] => ({
		tokenEndpoint: lab.tokenEndpoint,
		clientId,
		clientAuthentication: privateKeyJwt(key, options),
	});

	for (const prover of lab.provers) {
		const {algorithm, pem, jwk} = prover;
		test(`a client proves who it is with a key of ${algorithm}, as PEM, JWK and CryptoKey [R110]`, async () => {
			const cryptoKey = await importKey(prover);
			for (const [key, options] of [[pem, {algorithm}], [jwk], [cryptoKey]] as const) {
				const client = clientOf(prover, key, options);
				// The server accepts each assertion only once, so this one must be new.
				await requestToken(client, grant);
				await requestToken(client, grant);
			}
			const {grants} = await lab.log();
			equal(
				grants.map(({status}) => status),
				Array.from({length: 6}, () => 200),
			);
		});
	}

	test('the kind of a key is found out from the key, as PEM and as a JWK without alg [R110]', async () => {
		for (const prover of lab.provers) {
			// RS256 and PS256 use the same kind of key.
			if (prover.algorithm === 'PS256') continue;
			const {alg: _, ...jwk} = prover.jwk as JsonWebKey;
			for (const key of [prover.pem, jwk as object]) await requestToken(clientOf(prover, key), grant);
		}
		const {grants} = await lab.log();
		equal(
			grants.map(({status}) => status),
			Array.from({length: 6}, () => 200),
		);
	});

	test('a value that is no key is refused before anything is sent', async () => {
		const [prover] = lab.provers;
		if (!prover) throw new Error('There is no prover');
		for (const key of [undefined, 'secret', {kty: 'oct', k: 'secret'}]) {
			equal(nameOf(await reasonOf((async () => clientOf(prover, key))())), 'ConfigError invalid_options');
		}
		const broken = `-----BEGIN PRIVATE KEY-----\n${btoa('secret')}\n-----END PRIVATE KEY-----`;
		const error = await reasonOf(requestToken(clientOf(prover, broken), grant));
		equal(nameOf(error), 'ConfigError invalid_options');
		equal((await lab.log()).grants.length, 0);
	});

	test('a key of another curve and an RSA key below 2048 bits prove nothing, in each form', async () => {
		const [prover] = lab.provers;
		if (!prover) throw new Error('There is no prover');
		const rsa = {modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256'};
		for (const algorithm of [
			{name: 'ECDSA', namedCurve: 'P-384'},
			{name: 'RSASSA-PKCS1-v1_5', ...rsa},
		]) {
			const {privateKey} = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
			const {alg: _, ...jwk} = await crypto.subtle.exportKey('jwk', privateKey);
			const bytes = new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey));
			const base64 = btoa(String.fromCharCode(...bytes));
			const pem = `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----`;
			for (const key of [privateKey, jwk as object, pem]) {
				const error = await reasonOf((async () => requestToken(clientOf(prover, key), grant))());
				// Firefox imports a PEM of another curve as an Ed25519 key. The server then rejects the signature.
				const isRefused = key === pem && nameOf(error) === 'OAuthError oauth_error';
				if (!isRefused) equal(nameOf(error), 'ConfigError invalid_options');
			}
		}
	});
}

/** Defines the tests of `dpop()`. */
export function dpopSpec({test, equal, lab, traits}: Pick<Runner, 'test' | 'equal' | 'lab' | 'traits'>): void {
	interface BoundSession {
		readonly auth: Auth;
		readonly api: KyInstance;
		readonly events: AuthEvent[];
		readonly access_token: string;
	}

	const begin = async (options?: DpopOptions, key?: TokenScheme): Promise<BoundSession> => {
		const scheme = dpop(options);
		const {tokenEndpoint, revocationEndpoint, app, proofApi} = lab;
		const auth = createAuth({tokenEndpoint, revocationEndpoint, clientId: app, scheme, origins: [proofApi]});
		const events: AuthEvent[] = [];
		auth.subscribe(event => void events.push(event));
		const minted = await lab.mint(await thumbprintOf(key ?? scheme));
		await auth.setToken(minted);
		const api = ky.extend({baseUrl: proofApi, hooks: auth.hooks, retry: 0});
		return {auth, api, events, access_token: minted.access_token};
	};
	const provenStatuses = async (): Promise<number[]> => (await lab.log()).proven.map(({status}) => status);
	const grantStatuses = async (): Promise<number[]> => (await lab.log()).grants.map(({status}) => status);

	for (const algorithm of ['ES256', 'EdDSA'] as const) {
		test(`a call has a proof of ${algorithm}, and the nonce that the API asks for [R101, R104, R105]`, async () => {
			const {api, access_token} = await begin({algorithm});
			equal((await api.get('accounts?x=1')).status, 200);
			equal((await api.post('accounts', {json: {amount: 1204}}).json<{body: string}>()).body, '{"amount":1204}');
			const {proven, grants} = await lab.log();
			equal(
				proven.map(({status, authorization}) => [status, authorization]),
				[401, 200, 200].map(status => [status, `DPoP ${access_token}`]),
			);
			equal(grants.length, 0);
		});
	}

	test('twenty calls at once with a refused token make one refresh, whose nonce uses up nothing [R57, R100]', async () => {
		const {api, access_token, events} = await begin();
		await api.get('accounts');
		await lab.expire(access_token);
		const answers = await Promise.all(Array.from({length: 20}, () => api.get('accounts')));
		equal([...new Set(answers.map(({status}) => status))], [200]);
		equal(await grantStatuses(), [400, 200]);
		equal(
			events.flatMap(event => (event.type === 'token' ? [event.cause] : [])),
			['set', 'refresh'],
		);
	});

	test('each of ky’s retries has a proof of its own [R104]', async () => {
		const {api} = await begin();
		await api.get('accounts');
		const path = 'accounts?status=503&times=1';
		equal((await api.get(path, {retry: {limit: 1, delay: () => 1}})).status, 200);
		equal(await provenStatuses(), [401, 200, 503, 200]);
	});

	test('a redirect gets a proof of its own within the origin, and nothing elsewhere [R42, R43]', async () => {
		const {api} = await begin();
		await api.get('accounts');
		const within = `accounts?status=307&location=${encodeURIComponent('/other')}`;
		const away = `accounts?status=307&location=${encodeURIComponent(lab.elsewhere)}`;
		if (traits.isPage) {
			// Browsers hide the target of a redirect, so regrant follows none there.
			for (const path of [within, away]) equal((await reasonOf(api.get(path))) instanceof Error, true);
		} else {
			equal((await api.get(within)).status, 200);
			equal((await api.get(away, {throwHttpErrors: false})).status, 401);
		}
		const {elsewhere, grants} = await lab.log();
		equal(
			elsewhere.filter(({authorization, hasProof}) => authorization || hasProof),
			[],
		);
		equal(grants.length, 0);
	});

	test('a session whose key is gone ends, once', async () => {
		const other = dpop({keyPair: await generate()});
		const {auth, api, events} = await begin(undefined, other);
		const errors = await Promise.all([reasonOf(api.get('accounts')), reasonOf(api.get('accounts'))]);
		equal(errors.map(nameOf), ['SessionEndedError invalid_grant', 'SessionEndedError invalid_grant']);
		equal(events.filter(({type}) => type === 'session-ended').length, 1);
		equal(auth.status, 'signed-out');
	});

	test('signing out revokes the refresh token', async () => {
		const {auth} = await begin();
		const {access_token} = await auth.getToken();
		await auth.signOut();
		equal(
			(await lab.log()).revocations.map(({status}) => status),
			[200],
		);
		equal(await lab.isActive(access_token), false);
	});

	test('all schemes of an origin have one key if there is IndexedDB, and else each has its own', async () => {
		const keys = await Promise.all([dpop(), dpop(), dpop()].map(thumbprintOf));
		equal(new Set(keys).size, 'indexedDB' in globalThis ? 1 : 3);
	});

	test('two sessions with one key pair are one to the server', async () => {
		const keyPair = await generate();
		const {api} = await begin({keyPair}, dpop({keyPair}));
		equal((await api.get('accounts')).status, 200);
	});
}

const generate = async (): Promise<CryptoKeyPair> =>
	crypto.subtle.generateKey({name: 'ECDSA', namedCurve: 'P-256'}, false, ['sign', 'verify']);

async function importKey({algorithm, jwk}: Prover): Promise<CryptoKey> {
	const parameters = {
		ES256: {name: 'ECDSA', namedCurve: 'P-256'},
		RS256: {name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256'},
		PS256: {name: 'RSA-PSS', hash: 'SHA-256'},
		EdDSA: {name: 'Ed25519'},
	}[algorithm];
	const {alg: _, ...key} = jwk as JsonWebKey;
	return crypto.subtle.importKey('jwk', key, parameters, false, ['sign']);
}

/** Computes the thumbprint of a scheme's key (RFC 7638). A server binds tokens to it. */
async function thumbprintOf(scheme: TokenScheme): Promise<string> {
	const headers = new Headers();
	await scheme.apply({url: 'https://api.example/', method: 'GET', headers}, undefined);
	const [header = ''] = (headers.get('dpop') ?? '').split('.');
	const {jwk} = JSON.parse(atob(header.replaceAll('-', '+').replaceAll('_', '/'))) as {jwk: JsonWebKey};
	// RFC 7638 wants the members in the order of their names, and only those that the key has.
	const {crv, kty, x, y} = jwk;
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify({crv, kty, x, y})));
	const binary = String.fromCharCode(...new Uint8Array(digest));
	return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
