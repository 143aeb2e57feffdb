import {createUserProject} from '../support/user-project.ts';
import {median} from './call.ts';

/** What it costs to compile a user's module. */
export interface TypeCheck {
	readonly name: string;
	/** The median of the rounds, including the start of the compiler. */
	readonly milliseconds: number;
	/** The number of compiler errors. It should be 0. */
	readonly complaints: number;
}

const schemas = `
	params: v.object({accountID: v.string()}),
	searchParams: v.object({skip: v.optional(v.number()), count: v.optional(v.number())}),
	json: v.object({amount: v.pipe(v.number(), v.integer(), v.minValue(1)), description: v.optional(v.string())}),
	response: v.object({transferID: v.string(), status: v.picklist(['pending', 'done']), createdOn: v.string()}),`;
const input = "{params: {accountID: 'a'}, searchParams: {skip: 1}, json: {amount: 1}}";

/** The same schemas in three modules: alone, with a hand-written function on ky, and as an endpoint of regrant. */
const modules: Readonly<Record<string, (index: number) => string>> = {
	'the schemas alone': index => `export const schemas${index} = {${schemas}\n};`,
	'ky, by hand': index => `
export const schemas${index} = {${schemas}
};
export async function call${index}(input: {
	params: v.InferInput<typeof schemas${index}.params>;
	searchParams?: v.InferInput<typeof schemas${index}.searchParams>;
	json: v.InferInput<typeof schemas${index}.json>;
}) {
	const {params, searchParams, json, response} = schemas${index};
	const {accountID} = v.parse(params, input.params);
	return ky.post(\`accounts/\${encodeURIComponent(accountID)}/transfers${index}\`, {
		searchParams: v.parse(searchParams, input.searchParams ?? {}) as Record<string, number>,
		json: v.parse(json, input.json),
	}).json(response);
}
export const result${index}: Promise<string> = call${index}(${input}).then(({transferID}) => transferID);`,
	regrant: index => `
export const call${index} = endpoint({
	method: 'post',
	path: 'accounts/{accountID}/transfers${index}',${schemas}
});
export const result${index}: Promise<string> = call${index}(ky, ${input}).then(({transferID}) => transferID);`,
};

const head =
	"import ky from 'ky';\nimport * as v from 'valibot';\nimport {endpoint} from 'regrant';\nvoid [ky, endpoint];\n";

/** Compiles each of the three modules with this many definitions. */
export async function measureTypeCheck(definitions: number, rounds: number): Promise<TypeCheck[]> {
	const times = new Map<string, number[]>();
	const complaints = new Map<string, number>();
	for (let round = 0; round < rounds; round++) {
		for (const [name, write] of Object.entries(modules)) {
			const project = createUserProject();
			try {
				project.write('api.ts', head + Array.from({length: definitions}, (_, index) => write(index)).join('\n'));
				const start = performance.now();
				const found = await project.compile({
					module: 'nodenext',
					lib: ['es2022', 'dom', 'dom.iterable'],
					skipLibCheck: true,
				});
				times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
				complaints.set(name, found.length);
			} finally {
				project.remove();
			}
		}
	}
	return Object.keys(modules).map(name => ({
		name,
		milliseconds: median(times.get(name) ?? []),
		complaints: complaints.get(name) ?? 0,
	}));
}
