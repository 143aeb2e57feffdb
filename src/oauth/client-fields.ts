import {type GenericSchema, optional, type OptionalSchema} from 'valibot';
import {patternSchema, vscharsOrNone} from './pattern-schema.ts';

/** How a client may say in the body who it is. */
export interface ClientFields {
	/** Client ID can be provided here in the body, or as the Username in HTTP Basic Auth. Printable ASCII. */
	readonly client_id?: string | undefined;
	/** Client secret can be provided here in the body, or as the Password in HTTP Basic Auth. Printable ASCII. */
	readonly client_secret?: string | undefined;
}

/** The schemas of these fields: RFC 6749 appendix A.1 and A.2. */
export const clientFields: Record<keyof ClientFields, OptionalSchema<GenericSchema<string>, undefined>> = {
	client_id: optional(patternSchema('client_id', vscharsOrNone, 'printable ASCII')),
	client_secret: optional(patternSchema('client_secret', vscharsOrNone, 'printable ASCII')),
};
