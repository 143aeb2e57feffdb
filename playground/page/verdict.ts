import {countAnswered, type Outcomes} from './calls.ts';
import {grantsOf, refusedOf} from './recording.ts';
import {isFailedGrant, type Report} from './report.ts';

const separator = ' · ';

/** The result of a run. */
export interface Result {
	/** What was sent and what happened meanwhile. */
	readonly reports: readonly Report[];
	/** What became of the calls. */
	readonly outcomes: Outcomes;
	/** Whether the server answered one more call, after all of them. */
	readonly isSignedIn: boolean;
}

/** Says what a run came to: `1 refresh · 40 calls answered · Ann is still signed in`. */
export function verdictOf({reports, outcomes, isSignedIn}: Result): string {
	return [
		describeRefreshes(reports),
		describeAnswered(outcomes),
		isSignedIn ? 'Ann is still signed in' : 'Ann is signed out',
	]
		.filter(part => part !== undefined)
		.join(separator);
}

function describeRefreshes(reports: readonly Report[]): string {
	const count = grantsOf(reports).length;
	const refused = refusedOf(reports).length;
	const failed = reports.filter(isFailedGrant).length - refused;
	return [
		count === 0 ? 'no refresh' : countOf(count, 'refresh', 'refreshes'),
		...(refused > 0 ? [`${refused} refused`] : []),
		...(failed > 0 ? [`${failed} failed`] : []),
	].join(', ');
}

/** Undefined if no call was answered: then the rest of the verdict says enough. */
function describeAnswered(outcomes: Outcomes): string | undefined {
	const sent = [...outcomes.values()].reduce((sum, times) => sum + times, 0);
	const answered = countAnswered(outcomes);
	if (answered === 0) return undefined;
	return answered === sent
		? `${countOf(sent, 'call', 'calls')} answered`
		: `${answered} of ${countOf(sent, 'call', 'calls')} answered`;
}

/** Says how many there are: `1 call`, `40 calls`. */
export const countOf = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

/** Writes a verdict into an element. On a narrow screen it breaks between its parts and nowhere else. */
export function writeVerdict(element: HTMLElement, verdict: string): void {
	const parts = verdict.split(separator);
	const spans = parts.map((part, index) => {
		const span = document.createElement('span');
		span.textContent = index < parts.length - 1 ? `${part} ·` : part;
		return span;
	});
	element.replaceChildren(...spans.flatMap((span, index) => (index > 0 ? [' ', span] : [span])));
}
