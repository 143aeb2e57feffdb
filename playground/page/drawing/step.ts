/** Where a key leads from one of `count` marks. Undefined for a key that does not step, or if there are no marks. */
export function stepOf(key: string, index: number, count: number): number | undefined {
	const last = count - 1;
	const steps: Readonly<Record<string, number>> = {
		ArrowRight: index + 1,
		ArrowUp: index + 1,
		PageUp: index + 10,
		ArrowLeft: index - 1,
		ArrowDown: index - 1,
		PageDown: index - 10,
		Home: 0,
		End: last,
	};
	const step = steps[key];
	return step === undefined || count === 0 ? undefined : Math.min(Math.max(step, 0), last);
}
