/**
Copies the value's own properties into an object without a prototype. So a polluted `Object.prototype` adds nothing, and `__proto__` is a
key like any other.
*/
export function ownProperties<T extends object>(value: T | undefined): T {
	return {__proto__: null, ...value} as unknown as T;
}

/** Whether a value is an object, and not a list. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** Does the same for a value of any kind. Returns undefined for everything that is not a record. */
export function ownRecordProperties(value: unknown): Record<string, unknown> | undefined {
	return isRecord(value) ? ownProperties(value) : undefined;
}

/** Copies the own properties that pass a filter. Default: those that are not undefined. */
export function ownPropertiesWhere<T extends object>(
	value: T | undefined,
	isKept: (value: unknown, name: string) => unknown = item => item !== undefined,
): Partial<T> {
	const entries = Object.entries(Object(value)).filter(([name, item]) => isKept(item, name));
	// Each of its properties comes from the value.
	return ownProperties(Object.fromEntries(entries) as Partial<T>);
}

/** Reads one own property. That is cheaper than copying all of them. */
export function ownProperty<T extends object, Name extends keyof T>(value: T, name: Name): T[Name] | undefined {
	return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Reads a property of a value or of its class. What every object inherits does not count. */
export function memberOf(value: unknown, name: string): unknown {
	const owner = Object(value) as Record<string, unknown>;
	const found = owner[name];
	return Object.hasOwn(owner, name) || found !== ({} as Record<string, unknown>)[name] ? found : undefined;
}
