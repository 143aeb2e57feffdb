import {ConfigError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {aText, isText, readOptions} from '../lib/read-options.ts';
import type {ClientAuthentication} from '../oauth/client-authentication.ts';
import {createAssertionSigner} from './assertion.ts';
import {aName, assertionRequest, type JwtBearerGrant} from './jwt-bearer.ts';

/** What of the file that Google hands out for a service account is used here. */
export interface GoogleServiceAccountKey {
	/** `service_account`. Files of another type are for another purpose. */
	readonly type: string;
	/** The account, such as `reports@project.iam.gserviceaccount.com`. */
	readonly client_email: string;
	/** The private key: PKCS #8 PEM. */
	readonly private_key: string;
	/** The id of the key. */
	readonly private_key_id?: string;
	/** Google's token endpoint. */
	readonly token_uri: string;
}

/** What a token of a service account is for. */
export interface GoogleServiceAccountOptions {
	/** The scopes, separated by spaces, such as `https://www.googleapis.com/auth/devstorage.read_only`. */
	readonly scope: string;
	/** The user for whom the account acts: domain-wide delegation has to allow that. @default none, the account itself */
	readonly subject?: string | undefined;
}

/** Those options of `createAuth` that say how a service account gets its tokens. */
export interface GoogleServiceAccount {
	/** Google's token endpoint. */
	readonly tokenEndpoint: string;
	/** The account. */
	readonly clientId: string;
	/** Sends nothing: the assertion says who asks. */
	readonly clientAuthentication: ClientAuthentication;
	/** Makes a new assertion for each token. */
	readonly grant: JwtBearerGrant;
}

/** An hour, in seconds: what Google allows, and what its own libraries ask for. */
const lifetime = 3600;

/**
Gives the options of `createAuth` for a service account of Google's.

@param json The file that Google hands out: its text, or what it parses to. It is a secret.
@throws {ConfigError} which names the field or the option that is missing or not usable, and holds nothing of the file.
@example
```ts
const auth = createAuth({
	...googleServiceAccount(env.GOOGLE_SERVICE_ACCOUNT, {scope: 'https://www.googleapis.com/auth/devstorage.read_only'}),
	origins: ['https://storage.googleapis.com'],
});
```
@see https://developers.google.com/identity/protocols/oauth2/service-account#httprest
*/
export function googleServiceAccount(
	json: string | GoogleServiceAccountKey | undefined,
	options: GoogleServiceAccountOptions,
): GoogleServiceAccount {
	const {scope, subject} = readOptions(options, {scope: aText, subject: aName}, ['scope']);
	const {type, client_email, private_key, private_key_id, token_uri} = readFile(json);
	for (const [name, value] of Object.entries({client_email, token_uri})) {
		if (!isText(value)) throw new ConfigError(`googleServiceAccount(json): ${name} is missing`);
	}
	if (type !== 'service_account') throw new ConfigError('googleServiceAccount(json): type must be service_account');
	const sign = createAssertionSigner(private_key, 'googleServiceAccount(json): private_key', {
		algorithm: 'RS256',
		keyId: private_key_id,
		lifetime,
	});
	// Google reads the scope from the assertion, and takes a subject for a user.
	const claims = {iss: client_email, sub: subject, aud: token_uri, scope};
	return {
		tokenEndpoint: token_uri,
		clientId: client_email,
		clientAuthentication: () => {},
		grant: async () => assertionRequest(await sign(claims)),
	};
}

function readFile(json: unknown): GoogleServiceAccountKey {
	const record = ownRecordProperties(typeof json === 'string' ? (parse(json) ?? parse(repair(json))) : json);
	if (!record) {
		const problem = json === undefined ? 'is undefined' : 'must be the JSON file of a service account';
		throw new ConfigError(`googleServiceAccount(json): json ${problem}`);
	}
	// What is used of it is checked by who uses it.
	return ownProperties(record) as unknown as GoogleServiceAccountKey;
}

function parse(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch {
		// The platform's error would quote the file.
		return undefined;
	}
}

/**
Environment files and secret stores change line breaks: those of the key are real ones then, which JSON does not allow in a text, or those
between the fields are written as `\n`.
*/
function repair(json: string): string {
	const escape = (text: string): string =>
		text.startsWith('"') ? text.replaceAll('\n', '\\n').replaceAll('\r', '') : ' ';
	return json.trim().replaceAll(/"[^"]*"|\\[nr]/g, escape);
}
