// A Deno script that calls an API and then ends. It shares its token with other processes. deno run --unstable-kv --allow-net --allow-env
// --allow-read --allow-write playground/deno.ts
import process from 'node:process';
import ky from 'ky';
import {clientSecretBasic, createAuth, type TokenStore} from 'regrant';
import {denoKvStore} from 'regrant/deno-kv';

type Kv = Parameters<typeof denoKvStore>[0] & {close(): void};

const {Deno} = globalThis as unknown as {readonly Deno: {openKv(path?: string): Promise<Kv>}}; // declared here, because TypeScript itself does not know Deno
const {TOKEN_ENDPOINT = '', CLIENT_ID = '', CLIENT_SECRET = '', API = '', KV} = process.env;

const kv = await Deno.openKv(KV);
const store: TokenStore = denoKvStore(kv, ['session']);
const auth = createAuth({
	tokenEndpoint: TOKEN_ENDPOINT,
	clientId: CLIENT_ID,
	clientAuthentication: clientSecretBasic(CLIENT_SECRET),
	grant: {grant_type: 'client_credentials', scope: '/accounts.read'},
	store,
});
// No event holds a secret, so every event can be logged. Logs go to stderr, beside what the script prints.
auth.subscribe(event => console.error(JSON.stringify(event)));
const api = ky.extend({baseUrl: API, hooks: auth.hooks});

console.log(JSON.stringify(await api.get('accounts').json()));
kv.close();
