import {ConfigError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {aText, isText, readOptions} from '../lib/read-options.ts';
import type {ClientAuthentication} from '../oauth/client-authentication.ts';
import {createAssertionSigner} from './assertion.ts';
import {aName, assertionRequest, type JwtBearerGrant} from './jwt-bearer.ts';

/** The fields that are used of the file that Google gives you for a service account. */
export interface GoogleServiceAccountKey {
	/** `service_account`. Files of another type have another purpose. */
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

/** Options of `googleServiceAccount`. */
export interface GoogleServiceAccountOptions {
	/** The scopes, separated by spaces, such as `https://www.googleapis.com/auth/devstorage.read_only`. */
	readonly scope: string;
	/** The user for whom the account acts. Domain-wide delegation must allow that. @default none, the account itself */
	readonly subject?: string | undefined;
}

/** The options of `createAuth` for a service account. */
export interface GoogleServiceAccount {
	/** Google's token endpoint. */
	readonly tokenEndpoint: string;
	/** The account. */
	readonly clientId: string;
	/** Sends nothing, because the assertion identifies the account. */
	readonly clientAuthentication: ClientAuthentication;
	/** Creates a new assertion for each token. */
	readonly grant: JwtBearerGrant;
}

/** One hour, in seconds: the longest lifetime that Google allows, and the one that its own libraries use. */
const lifetime = 3600;

/**
Returns the options of `createAuth` for a Google service account.

@param json The file that Google gives you, as text or as a parsed object. It is a secret.
@throws {ConfigError} if a field or an option is missing or unusable. The message names it, and holds nothing of the file.
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
	// First, because a file of another type has other fields.
	if (type !== 'service_account') throw new ConfigError('googleServiceAccount(json): type must be service_account');
	for (const [name, value] of Object.entries({client_email, token_uri})) {
		if (!isText(value)) throw new ConfigError(`googleServiceAccount(json): ${name} is missing`);
	}
	const sign = createAssertionSigner(private_key, 'googleServiceAccount(json): private_key', {
		algorithm: 'RS256',
		keyId: private_key_id,
		lifetime,
	});
	// Google reads the scope from the assertion, and treats a subject as a user.
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
	// Each field is checked where it is used.
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
