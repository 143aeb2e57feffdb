/** Reports a session that was lost in a test which does not expect that. */
export interface Referee {
	/** Call it if this test loses a grant on purpose. It holds until the verdict. */
	expectLoss(): void;
	/** Throws if something was lost unexpectedly. The next test starts fresh in any case. */
	verdict(): void;
}

/** A referee as its server has it. */
export interface Whistle extends Referee {
	/** Reports a loss, or anything else that must not happen. */
	report(loss: string): void;
	/** Starts fresh, without a verdict. */
	clear(): void;
}

/** Creates a referee. */
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
