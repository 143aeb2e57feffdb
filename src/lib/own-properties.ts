/**
A copy of the value's own properties alone, without a prototype: a polluted `Object.prototype` adds nothing to it, and a
key named `__proto__` is a key like any other.
*/
export function ownProperties<T extends object>(value: T | undefined): T {
	return {__proto__: null, ...value} as unknown as T;
}

/** The same for a value of any kind: undefined for all but records. */
export function ownRecordProperties(value: unknown): Record<string, unknown> | undefined {
	const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
	return isRecord ? ownProperties(value as Record<string, unknown>) : undefined;
}

/** The same for those properties that are to be kept. */
export function ownPropertiesWhere<T extends object>(
	value: T | undefined,
	isKept: (value: unknown, name: string) => unknown,
): Partial<T> {
	const entries = Object.entries(ownProperties(value)).filter(([name, item]) => isKept(item, name));
	// Each of its properties is one of the value's.
	return ownProperties(Object.fromEntries(entries) as Partial<T>);
}

/** One own property of the value. Cheaper than a copy of all. */
export function ownProperty<T extends object, Name extends keyof T>(value: T, name: Name): T[Name] | undefined {
	return Object.hasOwn(value, name) ? value[name] : undefined;
}
