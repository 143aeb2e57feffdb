import {checkSync} from 'recheck';
import ky from 'ky';
import {describe, expect} from 'vitest';
import {parseChallenges} from '../../src/lib/www-authenticate.ts';
import {createAuth, endpoint, requestToken, type TokenClient} from '../../src/index.ts';
import {patternsOf, patternsOfSource} from '../support/patterns.ts';
import {compile, type Pattern} from '../support/regexp-steps.ts';
import {test} from '../support/test.ts';
import {workOf} from '../support/work.ts';

const patterns = patternsOfSource();
const shorten = (text: string): string => (text.length > 70 ? `${text.slice(0, 70)}…` : text);

/** How the time of a pattern grows in the worst case. The checker searches for a slow text, and counts steps instead of time. */
function growthOf({source, flags}: Pattern): string {
	process.env['RECHECK_SYNC_BACKEND'] = 'pure'; // all other back-ends start a process
	// The checker tries random texts on patterns with a lookahead. The seed makes them the same in every run. Without limits of time, only
	// steps count: a slow machine would reach a limit, and the checker would take that for a slow pattern.
	const found = checkSync(source, flags, {
		timeout: null,
		attackTimeout: null,
		incubationTimeout: null,
		seedingTimeout: null,
		randomSeed: 1,
	});
	if (found.status === 'safe') return 'linear';
	return found.status === 'vulnerable' ? found.complexity.type : found.status;
}

describe('a regular expression of src takes a time that grows as its text does [F-53]', {timeout: 300_000}, () => {
	test.for(
		patterns.map(pattern => [`${pattern.file}: /${shorten(pattern.source)}/${pattern.flags}`, pattern] as const),
	)('%s', ([, pattern]) => {
		expect(growthOf(pattern)).toBe('linear');
	});

	test.for<readonly [source: string, flags: string, growth: string]>([
		[String.raw`\s+$`, '', 'polynomial'],
		[String.raw`"(?:[^"]|\\.)*$`, 'y', 'exponential'],
		[String.raw`[^,]*,[^;]*;`, 'g', 'polynomial'],
		[String.raw`(?:[\w-]+,?)+$`, 'y', 'exponential'],
		[String.raw`([\w-]+)*(?=(\w+)=)`, 'y', 'exponential'],
	])('a regular expression of another kind is found: /%s/%s', ([source, flags, growth]) => {
		expect(growthOf({source, flags})).toBe(growth);
	});

	test('all regular expressions of src are found, including those that are built from constants', () => {
		const text = "const a = 'x+'; const b = `(${a})`; const c = new RegExp(`^${b}$`, 'y'); const d = /[/]\\//gi;";
		expect(patternsOf('a.ts', text).map(({source, flags}) => [source, flags])).toEqual([
			['^(x+)$', 'y'],
			[String.raw`[/]\/`, 'gi'],
		]);
		expect(() => patternsOf('a.ts', 'new RegExp(location.hash)')).toThrow('location.hash');
		expect(patterns.map(({file}) => file)).toContain('src/lib/www-authenticate.ts');
	});
});

/** Texts of about this length that may be slow to parse, by what they contain. */
const headers: Readonly<Record<string, (length: number) => string>> = {
	quotes: length => '"'.repeat(length),
	spaces: length => ' '.repeat(length),
	'a scheme, spaces and garbage': length => `Bearer${' '.repeat(length)}@`,
	'tabs and commas': length => '\t,'.repeat(length / 2),
	'one token and garbage': length => `${'a'.repeat(length)}@`,
	'schemes alone': length => 'a,'.repeat(length / 2),
	'schemes without commas': length => 'a '.repeat(length / 2),
	'a token68 and garbage': length => `Bearer ${'a'.repeat(length / 2)}${'='.repeat(length / 2)}@`,
	parameters: length => `Bearer ${'a=b,'.repeat(length / 4)}`,
	'parameters with spaces': length => `Bearer ${'a = b , '.repeat(length / 8)}`,
	'a name, spaces and garbage': length => `Bearer a=b, a${' '.repeat(length)}@`,
	'an equals sign, spaces and garbage': length => `Bearer a=${' '.repeat(length)}@`,
	'an unterminated quote full of escapes': length => `Bearer realm="${'\\"'.repeat(length / 2)}`,
	'unterminated quotes one after another': length => 'Bearer a="'.repeat(length / 10),
	'schemes, each before a quote that ends with the header': length =>
		`${'a b,'.repeat(length / 4)}c d="${'x'.repeat(length)}`,
	'empty quoted strings': length => `Bearer ${'a="",'.repeat(length / 5)}`,
	'one quoted string': length => `Bearer a="${'\\a'.repeat(length / 2)}"`,
	'spaces and commas before garbage': length => `Bearer a=b${' ,'.repeat(length / 2)}@`,
};

/** A client whose server gives this response. */
const answered = (answer: () => Response): TokenClient => ({
	tokenEndpoint: 'https://as.example/token',
	clientId: 'client',
	fetch: async () => answer(),
});
const granting = {grant_type: 'client_credentials', scope: 'a'} as const;
const ask = async (answer: () => Response): Promise<unknown> =>
	requestToken(answered(answer), granting).catch((error: unknown) => error);

/** Everything that is done with a text from elsewhere, for a text of about this length. */
const tasks: Readonly<Record<string, (length: number) => unknown>> = {
	...Object.fromEntries(
		Object.entries(headers).map(([what, make]) => [
			`a challenge of ${what}`,
			(length: number) => parseChallenges(make(length)),
		]),
	),
	'an error_description': length =>
		ask(() => Response.json({error: 'a', error_description: '"é'.repeat(length / 2)}, {status: 400})),
	'an error code': length => ask(() => Response.json({error: 'client '.repeat(length / 7)}, {status: 400})),
	'the names of a 422': length =>
		ask(() =>
			Response.json(Object.fromEntries(Array.from({length: length / 10}, (_, n) => [`name${n}`, ''])), {status: 422}),
		),
	'an answer as a form': length =>
		ask(
			() => new Response('a=b&'.repeat(length / 4), {headers: {'content-type': 'application/x-www-form-urlencoded'}}),
		),
	'a media type': length =>
		ask(
			() =>
				new Response('x', {
					status: 400,
					headers: {'content-type': `${'a'.repeat(length / 2)}/${'b.'.repeat(length / 4)}`},
				}),
		),
	'a media type without a slash': length =>
		ask(() => new Response('x', {status: 400, headers: {'content-type': 'a'.repeat(length)}})),
	'a wait of digits': length =>
		ask(
			() =>
				new Response(null, {
					status: 503,
					headers: {'retry-after': '1'.repeat(length), 'x-retry-in': `${'1'.repeat(length)}x`},
				}),
		),
	'a wait that is almost a date': length =>
		ask(() => new Response(null, {status: 503, headers: {'retry-after': `Mon${' GM'.repeat(length / 3)}`}})),
	'an access token': length =>
		ask(() =>
			Response.json({access_token: `${'a'.repeat(length / 2)}${'='.repeat(length / 2)}`, token_type: 'Bearer'}),
		),
	'an access token with an end that is none': length =>
		ask(() =>
			Response.json({access_token: `${'a'.repeat(length / 2)}${'='.repeat(length / 2)}!`, token_type: 'Bearer'}),
		),
	'a lifetime': length =>
		ask(() => Response.json({access_token: 'a', token_type: 'Bearer', expires_in: '1'.repeat(length)})),
	'a scope': length =>
		requestToken(
			answered(() => Response.json({access_token: 'a', token_type: 'Bearer'})),
			{...granting, scope: 'a '.repeat(length / 2) + 'a'},
		),
	'a scope with an end that is none': length =>
		requestToken(
			answered(() => new Response()),
			{...granting, scope: 'a '.repeat(length / 2)},
		).catch(() => {}),
	'an endpoint': length => {
		try {
			createAuth({
				tokenEndpoint: `https://as.example/${'a'.repeat(length)}#`,
				clientId: 'a',
				origins: [`https://${'a.'.repeat(length / 2)}`],
			});
		} catch {}
	},
	'a path': async length => {
		const get = endpoint({method: 'get', path: '{a}'.repeat(length / 3)});
		await get.request(ky.create({baseUrl: 'https://api.example/'}), {params: {a: 'b'}});
	},
	'a path of braces': length => {
		try {
			endpoint({method: 'get', path: 'a{b'.repeat(length / 3)});
		} catch {}
	},
	'a path that is none': length => {
		try {
			endpoint({method: 'get', path: `${'a{b'.repeat(length / 3)}:`});
		} catch {}
	},
	'a parameter of a path': async length => {
		const get = endpoint({method: 'get', path: 'a/{a}'});
		await get.request(ky.create({baseUrl: 'https://api.example/'}), {params: {a: "('é')".repeat(length / 5)}});
	},
	'the path of an issue': async length => {
		const issue = {message: '', path: ['a'.repeat(length / 2), 'b.'.repeat(length / 4)]};
		const json = {'~standard': {version: 1, vendor: 'own', validate: () => ({issues: [issue]})}} as const;
		const post = endpoint({method: 'post', path: 'a', json});
		await post.request(ky.create({baseUrl: 'https://api.example/'}), {json: {a: 'abcdef'}}).catch(() => {});
	},
};

/** The work for a text of this length, and its ratio to the work for a text a quarter as long. */
async function measure(
	task: (length: number) => unknown,
	known: readonly Pattern[] = patterns,
	length = 100_000,
): Promise<{readonly work: number; readonly growth: number}> {
	const less = await workOf(known, () => task(length / 4));
	const work = await workOf(known, () => task(length));
	// Less than one step for a hundred characters may come from elsewhere: what vitest does meanwhile is counted, too.
	return {work, growth: work / Math.max(less, length / 100)};
}

describe('what is done with 100 kB of text grows as the text does [F-53]', {timeout: 120_000}, () => {
	test.for(Object.entries(tasks))('%s', async ([, task]) => {
		const {work, growth} = await measure(task);
		expect(growth).toBeLessThan(4.5);
		expect(work).toBeGreaterThan(0);
		expect(work).toBeLessThan(40 * 100_000);
	});

	test('a token is not searched for in an error as often as it has characters', async () => {
		const words = {error: 'a', error_description: 'b'.repeat(4000)};
		const task = (length: number): unknown =>
			ask(() => Response.json({...words, access_token: 'a'.repeat(length)}, {status: 400}));
		const {work} = await measure(task, patterns, 4000);
		// Each character alone would be compared with 4,000 others.
		expect(work).toBeLessThan(250 * 4000);
	});

	test('an answer in the smallest pieces is read once', async () => {
		let pulled = 0;
		const text = new TextEncoder().encode(`{"access_token":"${'a'.repeat(20_000)}","token_type":"Bearer"}`);
		const body = new ReadableStream<Uint8Array>({
			pull: controller => {
				controller.enqueue(text.subarray(pulled, ++pulled));
				if (pulled === text.length) controller.close();
			},
		});
		expect(
			await requestToken(
				answered(() => new Response(body)),
				granting,
			),
		).toMatchObject({token_type: 'Bearer'});
		expect(pulled).toBe(text.length);
	});

	test.for<readonly [what: string, task: (length: number) => unknown, pattern: Pattern]>([
		[
			'by a pattern that begins anew at each space',
			length => `${' '.repeat(length)}x`.replace(/[ \t]+$/, ''),
			/[ \t]+$/,
		],
		[
			'by a pattern that looks for an end at each begin',
			length => 'a='.repeat(length / 2).match(/a=[^;]*;/g),
			/a=[^;]*;/g,
		],
		[
			'by a loop that looks to the end at each comma',
			length => {
				const header = 'a,'.repeat(length / 2);
				for (const name of header.split(',')) header.includes(`${name}"`);
			},
			/,/,
		],
		[
			'by a sticky pattern that looks ahead to the end for each word',
			length => [...'a '.repeat(length / 2).matchAll(/\w (?=[^;]*)/gy)],
			/\w (?=[^;]*)/gy,
		],
	])('a parser that needs more than linear time is found: %s', async ([, task, pattern]) => {
		expect((await measure(task, [pattern], 4_000)).growth).toBeGreaterThan(12);
	});
});

describe('the machine that counts', () => {
	const texts = [
		'',
		'a',
		'ab',
		'aab=b, c',
		'a="b\\"c", d',
		'\t a',
		'é\uD800',
		'Mon',
		'127.0.0.1',
		'{a}{b',
		'%2e',
		'aaa;',
	];

	test.for([...patterns, /(?:a|ab)(?:c|bcd)?$/, /a{2,3}b?/g, /^(?!a$)\w+/, /\bb/, /[^]\u0020|a{2,}/y])(
		'the counting engine finds what the runtime finds with %s',
		({source, flags}) => {
			const search = compile({source, flags});
			for (const text of texts) {
				const found = new RegExp(source, flags).exec(text);
				expect(search(text).end).toBe(found ? found.index + found[0].length : undefined);
			}
		},
	);

	test.for(['a+?', String.raw`(a)\1`, '(?<a>b)', '(?<=a)b', '(a'])(
		'the counting engine refuses %s, which it does not know',
		source => {
			expect(() => compile({source, flags: ''})).toThrow(SyntaxError);
		},
	);
});
