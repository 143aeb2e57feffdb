// Redirects requests for the hosts of the README's examples to the servers of the test. Loaded by `node --import`.

/** The real addresses for the README's URLs. The first matching prefix is used. */
const hosts = JSON.parse(process.env['README_HOSTS'] ?? '[]') as ReadonlyArray<
	readonly [prefix: string, target: string]
>;

const platformFetch = globalThis.fetch;

globalThis.fetch = async (input, init) => {
	const request = new Request(input, init);
	// Plays a backend that keeps the refresh token.
	if (request.url === 'https://app.example.com/session/refresh') return new Response(process.env['README_TOKEN']);
	const [prefix, target] = hosts.find(([prefix]) => request.url.startsWith(prefix)) ?? [];
	if (prefix === undefined) throw new Error(`The README's world has no ${request.url}`);
	// The test's API has no such endpoint.
	if (request.url.endsWith('/accounts/a/transfers')) return Response.json({transferID: 't'});
	const there = new Request(target + request.url.slice(prefix.length), request);
	const response = await platformFetch(there);
	// The test's API answers with one record, but the API of the example lists accounts.
	const isList = response.ok && request.method === 'GET' && request.url.endsWith('/accounts');
	return isList ? Response.json([{accountID: 'a'}]) : response;
};
