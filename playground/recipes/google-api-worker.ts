// A Cloudflare Worker that calls a Google API as a service account: it lists the objects of a bucket in Cloud Storage. It needs no SDK and
// no shared store: each isolate gets a token for an hour. Put the JSON file from Google into a secret: npx wrangler secret put
// GOOGLE_SERVICE_ACCOUNT < key.json. Run: npx vitest run test/recipes/google-api-worker.test.ts
import {env, waitUntil} from 'cloudflare:workers';
import ky, {isHTTPError} from 'ky';
import {createAuth, isRegrantError} from 'regrant';
import {googleServiceAccount} from 'regrant/jwt';

/** https://cloud.google.com/storage/docs/json_api/v1/objects/list */
interface ObjectList {
	readonly items?: ReadonlyArray<{readonly name: string; readonly size: string}>;
}

// Created at module scope, so that all requests of an isolate share one token. It reads and sends nothing before the first call.
const auth = createAuth({
	...googleServiceAccount(env.GOOGLE_SERVICE_ACCOUNT, {
		scope: 'https://www.googleapis.com/auth/devstorage.read_only',
	}),
	// Without this, a client that leaves would stop a token request that others are waiting for.
	waitUntil,
});

// GOOGLE_API is https://storage.googleapis.com.
const google = ky.extend({baseUrl: env.GOOGLE_API, hooks: auth.hooks});

export default {
	async fetch(request: Request): Promise<Response> {
		const bucket = new URL(request.url).pathname.slice(1);
		try {
			const searchParams = {fields: 'items(name,size)'};
			const {items = []} = await google.get(`storage/v1/b/${bucket}/o`, {searchParams}).json<ObjectList>();
			return Response.json(items);
		} catch (error) {
			// The account has no permission, or there is no such bucket.
			if (isHTTPError(error)) return Response.json({error: 'refused'}, {status: error.response.status});
			return Response.json({error: 'failed'}, {status: isRegrantError(error) && error.retryable ? 503 : 502});
		}
	},
};
