/**
A copy of the value's own properties alone, without a prototype: a polluted `Object.prototype` adds nothing to it, and a
key named `__proto__` is a key like any other.
*/
export function own<T extends object>(value: T | undefined): T {
	return {__proto__: null, ...value} as unknown as T;
}

/** The same for a value of any kind: undefined for all but records. */
export function ownRecord(value: unknown): Record<string, unknown> | undefined {
	const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
	return isRecord ? own(value as Record<string, unknown>) : undefined;
}

/** The same for those properties that are to be kept. */
export function ownWhere<T extends object>(
	value: T | undefined,
	isKept: (value: unknown, name: string) => unknown,
): Partial<T> {
	const entries = Object.entries(own(value)).filter(([name, item]) => isKept(item, name));
	// Each of its properties is one of the value's.
	return own(Object.fromEntries(entries) as Partial<T>);
}

/** One own property of the value. Cheaper than a copy of all. */
export function ownValue<T extends object, Name extends keyof T>(value: T, name: Name): T[Name] | undefined {
	return Object.hasOwn(value, name) ? value[name] : undefined;
}
