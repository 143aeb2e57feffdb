// Cases that are most likely to leak a secret. The cases of all other sections are searched for secrets, too.
import {type AuthOptions, clientSecretBasic, clientSecretPost} from 'regrant';
import {renewed} from './call-cases.ts';
import {bearer, type Case, type Fault, fault, json, page, redirect, token, uncounted} from './case.ts';
import {sentTo} from './renewal-cases.ts';
import type {Staged} from './room.ts';
import {loginOf, nameOfKind} from './world.ts';
import {grant, network, invalid, times} from './words.ts';

export const secretFaults: readonly Fault[] = [
	fault('F-111', 'an error of ky, printed', {
		title: 'nothing of it has the token',
		script: {api: [bearer(), {status: 500, body: 'no'}]},
		async act({signIn, ky, get, see}) {
			await signIn();
			const outcome = await get(ky({throwHttpErrors: true}).get('me'));
			const {request, options} = Object('error' in outcome && outcome.error) as Record<string, unknown>;
			see([request, options]);
			return [outcome, (request as Request).headers.has('authorization')]; // ky’s errors contain the request
		},
		expected: {...renewed, gets: ['HTTPError 500', false], calls: ['first 401', 'second 500']},
	}),
	fault(
		'F-112',
		'every way for a token call to fail, for every way to be known',
		Object.entries({
			'HTTP Basic': secret => ({clientAuthentication: clientSecretBasic(secret)}),
			'HTTP Basic, raw': secret => ({clientAuthentication: clientSecretBasic(secret, {encoding: 'raw'})}),
			'the secret in the body': secret => ({clientAuthentication: clientSecretPost(secret)}),
			'the secret in the body, as JSON': secret => ({clientAuthentication: clientSecretPost(secret), encoding: 'json'}),
			'a way of its own': secret => ({
				clientAuthentication: ({parameters}) => parameters.set('client_assertion', secret),
			}),
			'the secret in the grant': secret => ({grant: {...grant, client_secret: secret}}),
		} satisfies Record<string, (secret: string) => Partial<AuthOptions>>).flatMap(([way, options]) =>
			Object.entries({
				'a page': page(500),
				'a login page': page(200),
				'an echo': json({error: 'invalid_client', error_description: '<body> <authorization>'}, {status: 401}),
				'an echo for an error': json({error: '<authorization>'}, {status: 400}),
				'an echo for a type': {headers: [['content-type', '<authorization>']], body: '<body>'},
				'an echo for a challenge': bearer('Basic realm="<authorization>"'),
				'a redirect': redirect(302, '<elsewhere>?<authorization>'),
				'a token that is none': token({access_token: '<authorization> €'}),
				'a reset': {fault: 'reset'},
			} satisfies Record<string, Staged>).map(([title, staged]): Case => ({
				title: `${way}: ${title}`,
				script: {token: {untilMended: staged}},
				async act({auth, get, plant}) {
					const secret = plant('c4nary-secret:%/+ of the client');
					plant(btoa(`app:${secret}`));
					plant(new URLSearchParams({'': secret}).toString().slice(1));
					plant(encodeURIComponent(secret));
					plant(btoa(`app:${new URLSearchParams({'': secret}).toString().slice(1)}`));
					const failing = auth({grant, ...options(secret), allowSecretInBrowser: true});
					return ['error' in (await get(failing.getToken()))];
				},
				expected: {gets: [true], grants: 1, session: 'none', events: uncounted},
			})),
		),
	),
	fault(
		'F-113',
		'the server repeats a token',
		Object.entries({
			'in error_description': {error: 'invalid_request', error_description: 'Not <sent>, try <useless>'},
			'in error_uri': {error: 'invalid_request', error_uri: 'https://as.example/?token=<sent>'},
			'in error': {error: '<sent>'},
			'in all, beside new ones': {
				error: 'invalid_request',
				error_description: '<sent>',
				error_uri: '<useless>',
				refresh_token: '<useless>',
			},
		}).map(([title, body]): Case => ({
			title: `${title}: masked, and not in the message`,
			script: {token: [json(body, {status: 400})]},
			async act({signIn, auth, get, room}) {
				await signIn();
				const outcome = await get(auth().refresh());
				const {message} = Object('error' in outcome && outcome.error) as Error;
				return [nameOfKind('error' in outcome && outcome.error), message.includes(room.refresh_token.slice(0, 8))];
			},
			expected: {gets: ['OAuthError', false], grants: 1, events: ['refresh-failed oauth_error']},
		})),
	),
	fault(
		'F-114',
		'a field of a token does not pass',
		Object.entries({
			refresh_token: token({refresh_token: ['<useless>']}),
			'refresh_token with a line break': token({refresh_token: '<useless>\n'}),
			scope: token({scope: {a: '<useless>'}}),
			access_token: token({access_token: {a: '<useless>'}}),
			token_type: token({access_token: '<useless>', token_type: ['<useless>']}),
		}).map(([field, staged]): Case => ({
			title: `${field}: its name and what is expected, and no value`,
			script: {token: [staged]},
			async act({signIn, auth, get}) {
				await signIn();
				const outcome = await get(auth().refresh());
				const {message} = Object('error' in outcome && outcome.error) as Error;
				return [outcome, message.includes(field.split(' ')[0] ?? field)];
			},
			expected: {gets: [invalid, true], grants: 1, events: ['refresh-failed invalid_response']},
		})),
	),
	fault(
		'F-115',
		'a token unfit for a header is given by the caller',
		['\r\nx-evil: 1', '€', ' ', '\0'].map((tail): Case => ({
			title: `${JSON.stringify(tail)} at its end never comes near one`,
			async act(world) {
				const {auth, get, room} = world;
				const {access_token} = room;
				const calling = auth();
				const kept = await get(calling.setToken({...loginOf(world), access_token: access_token + tail}));
				return [kept, await get(calling.fetch(`${room.api}me`))];
			},
			expected: {gets: ['ConfigError invalid_options', 401], calls: ['none 401'], session: 'none'},
		})),
	),
	fault(
		'F-116',
		'an endpoint with a password in its URL',
		['tokenEndpoint', 'revocationEndpoint'].map((option): Case => ({
			title: `${option} is refused before anything is sent`,
			async act({auth, get, room, plant}) {
				const secret = plant('p4ssw0rd-of-a-user');
				const url = room.tokenEndpoint.replace('//', `//user:${secret}@`);
				return [
					await get((async () => auth({[option]: url}))()),
					await get((async () => auth({[option]: `${url}#x`}))()),
				];
			},
			expected: {gets: times(2, () => 'ConfigError invalid_options'), session: 'none'},
		})),
	),
	fault(
		'F-117',
		'an endpoint with a secret in its query',
		Object.entries({
			'is not reached': ({nowhere}) => nowhere,
			'is not the server of a name': () => 'https://regrant.invalid/token',
		} satisfies Record<string, (room: {readonly nowhere: string}) => string>).map(([title, url]): Case => ({
			title: `${title}: the secret is in no error`,
			async act({auth, get, room, plant, signIn}) {
				const secret = plant('s3cret-of-the-query');
				await signIn();
				return [await get(auth(sentTo(`${url(room)}?key=${secret}`)).refresh())];
			},
			expected: {gets: [`${network}, retryable`], events: ['refresh-failed network']},
		})),
	),
	fault('F-118', 'an Auth is printed, cloned and serialised', {
		title: 'no secret',
		async act({signIn, auth, ky, see, plant}) {
			const secret = plant('c4nary-secret-of-a-client');
			await signIn();
			const shown = auth({clientAuthentication: clientSecretBasic(secret), allowSecretInBrowser: true});
			see([shown, shown.hooks, ky(), Object.entries(shown)]);
			const clone = (async () => structuredClone(shown))();
			return [
				JSON.stringify(shown),
				await clone.then(
					() => 'a clone',
					() => 'no clone',
				),
			];
		},
		expected: {gets: ['{"hooks":{"init":[null]},"status":"signed-in"}', 'no clone']},
	}),
];
