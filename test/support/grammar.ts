/**
The grammars of RFC 6749 appendix A and of RFC 6750 as slow code that reads one character at a time. The patterns of src are compared with
it.
*/
const isWithin =
	(...ranges: readonly (readonly [first: number, last: number])[]) =>
	(unit: number): boolean =>
		ranges.some(([first, last]) => unit >= first && unit <= last);

const units = (text: string): number[] => Array.from({length: text.length}, (_, index) => text.charCodeAt(index));

const isVschar = isWithin([0x20, 0x7e]);
const isScopeChar = isWithin([0x21, 0x21], [0x23, 0x5b], [0x5d, 0x7e]);
const isDescriptionChar = isWithin([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7e]);
const isDigit = isWithin([0x30, 0x39]);

/** Credentials and refresh tokens: `1*VSCHAR`. */
export const isCredential = (text: string): boolean => text !== '' && units(text).every(isVschar);

/** `scope-token *( SP scope-token )` */
export const isScope = (text: string): boolean =>
	text.split(' ').every(token => token !== '' && units(token).every(isScopeChar));

/** Access tokens: `1*VSCHAR` without the space, because a space would end the token in a header. */
export const isAccessToken = (text: string): boolean => isCredential(text) && !text.includes(' ');

/**
Returns a text of a server as regrant shows it: cut to a length, and with `?` for each character that appendix A.7 to A.9 does not allow.
Quotes in a description stay.
*/
export function cleaned(text: string, length: number, field: 'error' | 'description' | 'uri'): string {
	const isKept = (unit: number): boolean =>
		isDescriptionChar(unit) ? !(field === 'uri' && unit === 0x20) : field === 'description' && unit === 0x22;
	return units(text)
		.slice(0, length)
		.map(unit => (isKept(unit) ? String.fromCharCode(unit) : '?'))
		.join('');
}

/** Reads `1*10DIGIT` as a number. Returns undefined for any other text. */
export function digitsOf(text: string): bigint | undefined {
	if (text === '' || text.length > 10 || !units(text).every(isDigit)) return undefined;
	return units(text).reduce((sum, unit) => sum * 10n + BigInt(unit - 0x30), 0n);
}

/** Decodes the fields of a form body by the algorithm of the URL standard, on bytes. */
export function decodeForm(body: string): Record<string, string> {
	const pairs = body.split('&').filter(Boolean);
	const fields = pairs.map(pair => {
		const [name = '', ...rest] = pair.split('=');
		return [decodeFormText(name), decodeFormText(rest.join('='))] as const;
	});
	const decoded = Object.fromEntries(fields);
	if (Object.keys(decoded).length < fields.length) throw new Error('A field is there twice');
	return decoded;
}

/** Decodes one name or value of a form (RFC 6749 appendix B). */
export function decodeFormText(text: string): string {
	const bytes: number[] = [];
	for (let index = 0; index < text.length; index++) {
		const character = text.charAt(index);
		const byte = character === '%' ? Number.parseInt(text.slice(index + 1, index + 3), 16) : character.charCodeAt(0);
		if (!(byte < 0x100)) throw new Error('No form encoding');
		bytes.push(character === '+' ? 0x20 : byte);
		if (character === '%') index += 2;
	}
	return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(new Uint8Array(bytes));
}
