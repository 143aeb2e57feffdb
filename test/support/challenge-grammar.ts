/** A challenge as a plain record, so that a test can compare it. */
export interface PlainChallenge {
	readonly scheme: string;
	readonly parameters: Readonly<Record<string, string>>;
}

const symbols = "!#$%&'*+-.^_`|~";
const isTokenChar = (character: string): boolean => /[0-9A-Za-z]/.test(character) || symbols.includes(character);
const isToken68Char = (character: string): boolean => /[0-9A-Za-z]/.test(character) || '-._~+/'.includes(character);
const isSpace = (character: string): boolean => character === ' ' || character === '\t';

/** The value that a rule of the grammar has read, and the remaining text. */
interface Read<Value> {
	readonly value: Value;
	readonly rest: string;
}

function run(text: string, isPart: (character: string) => boolean): Read<string> {
	let end = 0;
	while (end < text.length && isPart(text.charAt(end))) end++;
	return {value: text.slice(0, end), rest: text.slice(end)};
}

const skip = (text: string, isPart: (character: string) => boolean): string => run(text, isPart).rest;

/** Returns the remaining text if a list element ends here: at a comma or at the end of the text. */
function ended(text: string): string | undefined {
	const rest = skip(text, isSpace);
	return rest === '' || rest.startsWith(',') ? rest.slice(1) : undefined;
}

function readQuoted(text: string): Read<string> | undefined {
	if (!text.startsWith('"')) return undefined;
	let value = '';
	for (let index = 1; index < text.length; index++) {
		const character = text.charAt(index);
		if (character === '"') return {value, rest: text.slice(index + 1)};
		if (character === '\\') index++;
		// A header cannot contain a line break, not even an escaped one.
		if (index >= text.length || (character === '\\' && /[\n\r\u2028\u2029]/.test(text.charAt(index)))) return undefined;
		value += text.charAt(index);
	}
	return undefined;
}

function readParameter(text: string): Read<readonly [name: string, value: string]> | undefined {
	const name = run(text, isTokenChar);
	const sign = skip(name.rest, isSpace);
	if (name.value === '' || !sign.startsWith('=')) return undefined;
	const begin = skip(sign.slice(1), isSpace);
	const value = readQuoted(begin) ?? run(begin, isTokenChar);
	const rest = ended(value.rest);
	if (rest === undefined || (value.value === '' && !begin.startsWith('"'))) return undefined;
	return {value: [name.value.toLowerCase(), value.value], rest};
}

function readScheme(text: string): Read<string> | undefined {
	const {value, rest} = run(text, isTokenChar);
	if (value === '') return undefined;
	const scheme = value.toLowerCase();
	const alone = ended(rest);
	if (alone !== undefined) return {value: scheme, rest: alone};
	const begin = skip(rest, isSpace);
	if (begin === rest) return undefined;
	const main = run(begin, isToken68Char);
	const afterToken68 = main.value === '' ? undefined : ended(skip(main.rest, character => character === '='));
	if (afterToken68 !== undefined) return {value: scheme, rest: afterToken68};
	return readParameter(begin) && {value: scheme, rest: begin};
}

/**
A slow reference parser for challenges, by the rules of RFC 9110 §11. It reads one character at a time, and copies the rest at each step. It
is as lenient as the parser in src, and stops at invalid text in the same place.
*/
export function readChallengesSlowly(header: string): PlainChallenge[] {
	const found: {scheme: string; parameters: Map<string, string>}[] = [];
	for (let rest = header; ;) {
		rest = skip(rest, character => isSpace(character) || character === ',');
		const parameter = found.length > 0 ? readParameter(rest) : undefined;
		const scheme = parameter ? undefined : readScheme(rest);
		if (parameter) found.at(-1)?.parameters.set(...parameter.value);
		else if (scheme) found.push({scheme: scheme.value, parameters: new Map()});
		else return found.map(({scheme, parameters}) => ({scheme, parameters: Object.fromEntries(parameters)}));
		rest = (parameter ?? scheme)?.rest ?? '';
	}
}
