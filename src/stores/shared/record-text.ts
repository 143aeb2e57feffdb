import {ownProperties} from '../../lib/own-properties.ts';
import type {TokenSet} from '../../token/token-set.ts';

/** The record of a shared store as text, which can be compared. */
export interface RecordText {
	/** Gives the value for `get`. Text that is no JSON record is given as it is: whoever reads it refuses it. */
	parse(text: string | null | undefined): unknown;
	/** Gives the text of a record. */
	format(record: TokenSet): string;
	/** Gives the text behind a value that was parsed or formatted here. Undefined for undefined; null for what is not known. */
	textOf(value: unknown): string | null | undefined;
}

/** Creates the texts of one store. */
export function createRecordText(): RecordText {
	const known = new WeakMap<object, string>();
	return {
		parse: text => {
			if (text === null || text === undefined) return undefined;
			try {
				const record: unknown = JSON.parse(text);
				known.set(record as object, text);
				return record;
			} catch {
				return text;
			}
		},
		format: record => {
			const text = JSON.stringify(ownProperties(record));
			known.set(record, text);
			return text;
		},
		textOf: value => {
			if (value === undefined || typeof value === 'string') return value;
			return known.get(Object(value)) ?? null;
		},
	};
}
