// A Cloudflare Worker that calls a Google API as a service account: here it lists the objects of a bucket in Cloud Storage. There is no
// SDK, and no token to store: each isolate gets one for an hour. Put the JSON file that Google hands out into a secret:
// npx wrangler secret put GOOGLE_SERVICE_ACCOUNT < key.json. Run: npx vitest run test/recipes/google-api-worker.test.ts
import {env, waitUntil} from 'cloudflare:workers';
import ky, {isHTTPError} from 'ky';
import {createAuth, isRegrantError} from 'regrant';
import {googleServiceAccount} from 'regrant/jwt';

/** https://cloud.google.com/storage/docs/json_api/v1/objects/list */
interface ObjectList {
	readonly items?: ReadonlyArray<{readonly name: string; readonly size: string}>;
}

// At module scope: all requests of an isolate share one token. Nothing is read or sent before the first call.
const auth = createAuth({
	...googleServiceAccount(env.GOOGLE_SERVICE_ACCOUNT, {
		scope: 'https://www.googleapis.com/auth/devstorage.read_only',
	}),
	// Without it a client that leaves would take a token request along that others wait for.
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
			// The account may not do this, or there is no such bucket.
			if (isHTTPError(error)) return Response.json({error: 'refused'}, {status: error.response.status});
			return Response.json({error: 'failed'}, {status: isRegrantError(error) && error.retryable ? 503 : 502});
		}
	},
};
