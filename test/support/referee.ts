/** Says whether a session was lost in a test that did not mean to lose one. */
export interface Referee {
	/** This test means to lose a grant. Holds until the verdict. */
	expectLoss(): void;
	/** Throws if something was lost unasked. The next test starts afresh in any case. */
	verdict(): void;
}

/** A referee as its server has it. */
export interface Whistle extends Referee {
	/** Tells of a loss, or of anything else that must not happen. */
	report(loss: string): void;
	/** Starts afresh without a verdict. */
	clear(): void;
}

/** A referee that has seen nothing. */
export function createReferee(): Whistle {
	let losses: string[] = [];
	let isExpected = false;
	const clear = (): void => {
		losses = [];
		isExpected = false;
	};
	return {
		report: loss => void losses.push(loss),
		clear,
		expectLoss() {
			isExpected = true;
		},
		verdict() {
			const unasked = isExpected ? [] : losses;
			clear();
			if (unasked.length > 0) throw new Error(`A session was lost: ${unasked.join('; ')}`);
		},
	};
}
