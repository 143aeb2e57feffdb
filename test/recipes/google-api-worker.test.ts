import {expect} from 'vitest';
import {startGoogleTokenEndpoint} from '../support/google-token-endpoint.ts';
import {createTestKey} from '../support/keys.ts';
import {serve as startServer} from '../support/serve.ts';
import {test as base} from '../support/test.ts';
import {startWorkers} from '../support/workers.ts';

const key = await createTestKey('RS256', 'key-1');
const email = 'lister@project.iam.gserviceaccount.com';
const objects = [{name: 'a.txt', size: '12'}];

const test = base
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('place', {scope: 'file'}, async ({}, {onCleanup}) => {
		const google = await startGoogleTokenEndpoint({email, publicJwk: key.publicJwk});
		const revoked = new Set<string>();
		const api = await startServer((_request, {path, headers}) => {
			const token = (headers['authorization'] ?? '').replace('Bearer ', '');
			if (!google.tokens.includes(token) || revoked.has(token)) {
				return {
					status: 401,
					headers: [['www-authenticate', 'Bearer realm="https://accounts.google.com/", error="invalid_token"']],
				};
			}
			if (path !== '/storage/v1/b/photos/o?fields=items%28name%2Csize%29') return {status: 404};
			return Response.json({items: objects});
		});
		const file = {
			type: 'service_account',
			private_key_id: 'key-1',
			private_key: key.pem,
			client_email: email,
			token_uri: google.tokenEndpoint,
		};
		const workers = await startWorkers({
			entry: 'playground/recipes/google-api-worker.ts',
			env: {GOOGLE_SERVICE_ACCOUNT: JSON.stringify(file), GOOGLE_API: api.origin},
			isolates: 1,
		});
		onCleanup(async () => {
			await workers.stop();
			await Promise.all([api.close(), google.close()]);
		});
		return {google, api, revoked, origin: workers.origins[0] ?? ''};
	});

test('thirty requests at once get one token at Google, and so do later ones', async ({place: {google, origin}}) => {
	const answers = await Promise.all(Array.from({length: 30}, () => fetch(`${origin}/photos`)));
	const bodies = await Promise.all(answers.map(answer => answer.json()));
	expect(bodies).toEqual(Array.from({length: 30}, () => objects));
	expect((await fetch(`${origin}/photos`)).status).toBe(200);
	expect(google.claims).toMatchObject([{iss: email, scope: 'https://www.googleapis.com/auth/devstorage.read_only'}]);
});

test('a token that Google has revoked is replaced once', async ({place: {google, revoked, origin}}) => {
	await fetch(`${origin}/photos`);
	google.tokens.forEach(token => revoked.add(token));
	const before = google.claims.length;
	const answers = await Promise.all(Array.from({length: 10}, () => fetch(`${origin}/photos`)));
	expect(new Set(answers.map(({status}) => status))).toEqual(new Set([200]));
	expect(google.claims).toHaveLength(before + 1);
});

test('an error of Google reaches the client', async ({place: {origin}}) => {
	const answer = await fetch(`${origin}/of-somebody-else`);
	expect([answer.status, await answer.json()]).toEqual([404, {error: 'refused'}]);
});
