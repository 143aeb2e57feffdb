/** Reports sessions that were lost in a test which does not expect that. */
export interface Referee {
	/** Call it in a test that loses a grant on purpose. It holds until the next verdict. */
	expectLoss(): void;
	/** Throws if a grant was lost unexpectedly. In any case, the next test starts without reports. */
	verdict(): void;
}

/** A referee with the methods for its server. */
export interface Whistle extends Referee {
	/** Reports a lost grant, or anything else that must not happen. */
	report(loss: string): void;
	/** Deletes all reports without a verdict. */
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
