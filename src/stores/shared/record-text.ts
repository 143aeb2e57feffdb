import {ownProperties} from '../../lib/own-properties.ts';
import {randomId} from '../../lib/random-id.ts';
import type {TokenSet} from '../../token/token-response.ts';

/** The record of a shared store as text, which can be compared, with a mark of the login that it is of. */
export interface RecordText {
	/** The value for `get`. Text that is no JSON record is given as it is, to be refused by whoever reads it. */
	parse(text: string | null | undefined): unknown;
	/** The text of a token. It is of the login of the record that it replaces, or else of a new one. */
	format(token: TokenSet, replaced?: unknown): string;
	/** The text behind a value that was parsed or formatted here. Undefined for undefined; null for what is not known. */
	textOf(value: unknown): string | null | undefined;
	/** Whether two such values are of one login. A record without a mark, as others may write it, is of any. */
	isSameLogin(later: unknown, earlier: unknown): boolean;
}

/** The record as text: the `TokenSet` in JSON, with the mark beside. */
export function createRecordText(): RecordText {
	const known = new WeakMap<object, {readonly text: string; readonly login: unknown}>();
	const loginOf = (value: unknown): unknown => known.get(Object(value))?.login;
	return {
		parse: text => {
			if (text === null || text === undefined) return undefined;
			try {
				const {login, ...record} = JSON.parse(text) as {readonly login?: unknown};
				known.set(record, {text, login});
				return record;
			} catch {
				return text;
			}
		},
		format: (token, replaced) => {
			const login = loginOf(replaced) ?? randomId();
			const text = JSON.stringify(ownProperties({...token, login}));
			known.set(token, {text, login});
			return text;
		},
		textOf: value => {
			if (value === undefined || typeof value === 'string') return value;
			return known.get(Object(value))?.text ?? null;
		},
		isSameLogin: (later, earlier) => {
			const [now, before] = [loginOf(later), loginOf(earlier)];
			return now === undefined || before === undefined || now === before;
		},
	};
}
