// Faults of stores.
import type {StoreDriver, TokenStore} from 'regrant';
import {webStorage} from 'regrant/web';
import {type Case, type Fault, fault, json, token, typed} from './case.ts';
import {polluted, pollution} from './pollution.ts';
import {readings, refused, renewals} from './renewal-cases.ts';
import {createLateStore, failingOnce, hang, keeping, type LateStore, records, refuse, reject} from './store-cases.ts';
import {text, deadline, invalid} from './words.ts';
import {loginOf, renewElsewhere} from './world.ts';

export const storeFaults: readonly Fault[] = [
	fault(
		'F-86',
		'the store cannot be used',
		Object.entries({
			'a Web Storage that throws SecurityError': () =>
				webStorage('refused', {getItem: refuse, setItem: refuse, removeItem: refuse}),
			'a store that throws': () => ({get: refuse, set: refuse, delete: refuse}),
			'a store that rejects': () => ({get: reject, set: reject, delete: reject}),
		} satisfies Record<string, () => TokenStore | StoreDriver>).map(([title, store]): Case => ({
			title: `${title}: memory instead, and it is told once`,
			store,
			async act(world) {
				const {auth, room, get} = world;
				const calling = auth();
				const login = {...loginOf(world), expires_in: 0};
				const kept = await get(calling.setToken(login));
				const statuses = [await get(calling.fetch(`${room.api}me`)), await get(calling.fetch(`${room.api}me`))];
				return [kept, ...statuses];
			},
			expected: {
				gets: ['StoreError store_write, retryable', 200, 200],
				grants: 1,
				calls: ['second 200 ×2'],
				// The stores of regrant return what is in memory. A driver does not.
				session: title.startsWith('a Web Storage') ? 'second' : 'out of reach',
				events: ['store-failed store_read', 'token set', 'token refresh'],
			},
		})),
	),
	fault('F-87', 'the store is full after a rotation', {
		title: 'the call is served, it is told, and the token is written at the next chance',
		store: () =>
			failingOnce(token => {
				throw new DOMException(`The quota is exceeded by ${JSON.stringify(token)}`, 'QuotaExceededError');
			}),
		async act({signIn, auth, room, get}) {
			await signIn('over');
			return [await get(auth().fetch(`${room.api}me`)), await get(auth().fetch(`${room.api}me`))];
		},
		expected: {
			gets: [200, 200],
			grants: 1,
			calls: ['second 200 ×2'],
			session: 'second',
			events: ['store-failed store_write', 'token refresh'],
		},
	}),
	fault(
		'F-88',
		'a store that is slow to say that it failed',
		{
			title: 'it never settles: memory instead, after a deadline',
			store: () => ({get: hang, set: hang, delete: hang}),
			async act(world) {
				const {auth, room, get} = world;
				const calling = auth({timeout: 100});
				const kept = await get(calling.setToken({...loginOf(world), expires_in: 600}));
				return [kept, await get(calling.fetch(`${room.api}me`))];
			},
			expected: {
				gets: ['StoreError store_write, retryable', 200],
				calls: ['first 200'],
				session: 'out of reach',
				events: ['store-failed store_read', 'token set'],
			},
		},
		{
			title: 'a write after a rotation never settles: the call is served all the same',
			store: () => failingOnce(hang),
			async act({signIn, auth, room, get}) {
				await signIn('over');
				const during = await get(auth({timeout: deadline}).fetch(`${room.api}me`));
				// While a write hangs, the store is not used again until the deadline has passed. A real clock measures that, so the test
				// has to wait.
				await new Promise(resolve => setTimeout(resolve, deadline + 200));
				return [during, await get(auth().fetch(`${room.api}me`))];
			},
			expected: {
				gets: [200, 200],
				grants: 1,
				calls: ['second 200 ×2'],
				session: 'second',
				events: ['store-failed store_write', 'token refresh'],
			},
		},
	),
	fault(
		'F-89',
		'a record that is none',
		records(['store-failed store_corrupt'], {
			'text that is no JSON': () => 'hunter2-hunter2',
			'a token as text': ({access_token}) => access_token,
			'an empty object': () => ({}),
			'another shape': ({access_token}) => ({accessToken: access_token, tokenType: 'Bearer', version: 1}),
			'a list': ({access_token}) => [access_token],
			'a number': () => 42,
			'no issued_at': ({access_token}) => ({access_token, token_type: 'Bearer'}),
			'a type that is not known': record => ({...record, token_type: 'mac'}),
			'a token that is a number': record => ({...record, access_token: 42}),
		}),
		records([], {null: () => null, undefined: () => undefined}),
	),
	fault(
		'F-90',
		'a record that was tampered with',
		records(['store-failed store_corrupt'], {
			'a token with a line break': record => ({...record, access_token: `${record.access_token}\r\nx-evil: 1`}),
			'a refresh token with a line break': record => ({...record, refresh_token: `${record.refresh_token}\r\n`}),
			'a token beyond Latin-1': record => ({...record, access_token: `${record.access_token}Ā`}),
		}),
		{
			title: 'endpoints and origins in it change nothing of where a token goes',
			store: ({access_token, refresh_token, elsewhere}) => {
				const planted = {
					token_endpoint: elsewhere,
					tokenEndpoint: elsewhere,
					revocationEndpoint: elsewhere,
					origin: elsewhere,
					origins: [elsewhere],
					clientId: 'evil',
					headers: {'x-evil': '1'},
				};
				const issued_at = Math.floor(Date.now() / 1000) - 700;
				return keeping({...planted, access_token, refresh_token, token_type: 'Bearer', issued_at, expires_at: 1});
			},
			async act({room, auth, get}) {
				const calling = auth();
				return [
					await get(calling.fetch(`${room.api}me`)),
					await get(calling.fetch(room.elsewhere)),
					await get(calling.signOut()),
				];
			},
			expected: {
				gets: [200, 401, undefined],
				grants: 1,
				calls: ['second 200'],
				foreign: ['none'],
				session: 'none',
				events: ['token refresh', 'session-ended signed_out'],
			},
		},
	),
	fault(
		'F-91',
		'__proto__ in an answer or a record',
		renewals(refused(invalid), {
			'the fields of a token in it': typed('application/json', `{"__proto__":${token().body}}`),
			'in a constructor': typed('application/json', `{"constructor":{"prototype":${token().body}}}`),
		}),
		readings(text, {
			'in a form, it is dropped': typed(
				'application/x-www-form-urlencoded',
				'access_token=<access>&expires_in=600&__proto__=x',
			),
			'a token type in it is dropped': typed(
				'application/json',
				'{"access_token":"<access>","expires_in":600,"__proto__":{"token_type":"mac"}}',
			),
			'beside a good token, it is dropped': typed(
				'application/json',
				'{"__proto__":{"refresh_token":"evil","expires_in":1},"access_token":"<access>","token_type":"Bearer","expires_in":600}',
			),
		}),
		records(['store-failed store_corrupt'], {
			'the fields of a record in it': record => JSON.parse(`{"__proto__":${JSON.stringify(record)}}`) as unknown,
		}),
		{
			title: 'nothing is polluted',
			script: {
				token: [
					typed('application/json', '{"__proto__":{"polluted":1},"access_token":"<access>","token_type":"Bearer"}'),
				],
			},
			async act({signIn, auth, get}) {
				await signIn();
				const outcome = await get(auth().refresh());
				return [outcome, 'polluted' in {}];
			},
			expected: {
				gets: ['the second token while it is accepted, scope a b', false],
				grants: 1,
				events: ['token refresh'],
			},
		},
	),
	fault(
		'F-92',
		'Object.prototype has the fields of a token',
		Object.entries({
			'an answer without a token type is Bearer': {
				staged: token({token_type: undefined}),
				expected: {gets: [`the second token ${text}`], session: 'first', events: ['token refresh']},
			},
			'an answer without an access token is not usable': {
				staged: token({access_token: undefined}),
				expected: {gets: [invalid], events: ['refresh-failed invalid_response']},
			},
		}).map(([title, {staged, expected}]): Case => ({
			title,
			script: {token: [staged]},
			async act(world) {
				await world.signIn();
				const renewing = world.auth();
				const inherited = {token_type: 'mac', access_token: 'polluted', expires_in: 60};
				return [await polluted(inherited, () => world.get(renewing.refresh()))];
			},
			expected: {...expected, grants: 1},
			isAlone: true,
		})),
	),
	fault(
		'F-93',
		'Object.prototype has options',
		pollution(
			'those of regrant: no effect on any request',
			({elsewhere}, secret) => ({
				clientSecret: secret,
				client_secret: secret,
				client_id: secret,
				clientAuthentication: () => Promise.reject(new Error(secret)),
				fetch: () => Promise.reject(new Error(secret)),
				retry: 5,
				origins: [elsewhere],
				tokenTypes: ['mac'],
				grant: {grant_type: 'client_credentials', scope: secret},
				scope: secret,
			}),
			({auth, room}) => auth().fetch(`${room.api}me`),
			{gets: [200, 'POST grant_type,refresh_token,client_id', 'GET ', false], calls: ['second 200']},
		),
		// A call of the API does inherit these, because the platform's own `fetch` reads them. So only token requests are tested.
		pollution(
			'those of the platform’s fetch: no effect on a token request',
			(_, secret) => ({
				headers: {'x-evil': secret},
				method: 'PUT',
				redirect: 'follow',
			}),
			({auth}) => auth().refresh(),
			{gets: [`the second token ${text}`, 'POST grant_type,refresh_token,client_id', 'none', false]},
		),
		{
			...pollution(
				'a signal that is aborted: no effect on a token request',
				() => ({signal: AbortSignal.abort()}),
				({auth}) => auth().refresh(),
				{gets: [`the second token ${text}`, 'POST grant_type,refresh_token,client_id', 'none', false]},
			),
			except: [[/^(?:Node|happy-dom)/, 'its sockets read it too, and so nothing can be sent at all']],
		},
	),
	fault('F-94', 'two writers, the older one comes last', {
		title: 'a record that came meanwhile is not replaced, and its token is the one to use',
		script: {token: [token({refresh_token: '<refresh>'}), {...token({refresh_token: '<refresh>'}), fault: 'held'}]},
		store: () => keeping(),
		async act(world) {
			const {auth, signIn, get, room, driver} = world;
			await signIn();
			const renewed = await renewElsewhere(world);
			const renewing = get(auth().refresh());
			await room.arrivals('token', 2);
			await driver().set(renewed); // the other holder has stored a token
			await room.release();
			return [await renewing];
		},
		expected: {
			gets: ['the second token for 600 s, scope unknown'],
			grants: 2,
			session: 'second',
			events: ['token store'],
		},
	}),
	fault('F-95', 'the write of another holder shows late', {
		title: 'after invalid_grant the store is looked at again, and its token is adopted',
		script: {token: [token({refresh_token: '<refresh>'}), json({error: 'invalid_grant'}, {status: 400})]},
		store: createLateStore,
		async act(world) {
			const {auth, signIn, get, driver} = world;
			await signIn();
			const renewed = await renewElsewhere(world);
			(driver() as LateStore).showLater(renewed); // this case creates its store with createLateStore
			return [await get(auth().refresh())];
		},
		expected: {
			gets: ['the second token for 600 s, scope unknown'],
			grants: 2,
			session: 'second',
			events: ['token store'],
		},
	}),
];
