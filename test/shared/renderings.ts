/** Returns every text that a program could print of a value. */
export function textsOf(value: unknown, depth = 0): string[] {
	if (typeof value !== 'object' || value === null) return [String(value)];
	if (depth > 6) return [];
	// `headers` and `url` are getters of the platform's Request and Response, which ky's errors hold.
	const keys = new Set([...Reflect.ownKeys(value), 'headers', 'url', 'cause']);
	const own = [...keys].flatMap(key => {
		const part = read(value, key);
		return [String(key), ...(typeof part === 'function' ? [] : textsOf(part, depth + 1))];
	});
	const entries = value instanceof Headers ? [...value].flat() : [];
	const whole = value instanceof Error ? [String(value), value.stack ?? '', value.message] : [];
	return [...own, ...entries, ...whole, jsonOf(value)];
}

/** If a getter throws, it shows nothing. */
function read(value: object, key: PropertyKey): unknown {
	try {
		return Reflect.get(value, key);
	} catch {
		return undefined;
	}
}

function jsonOf(value: object): string {
	try {
		return JSON.stringify(value) ?? '';
	} catch {
		// The value contains itself, so it has no JSON. Its members are searched one by one instead.
		return '';
	}
}
