import {outcomeOf, type Report, summaryOf} from './report.ts';

/** Draws what lanes do, one below the other, on one scale of time. */
export interface Timeline {
	add(reports: readonly Report[]): void;
	clear(): void;
}

interface Row {
	readonly track: HTMLElement;
	readonly summary: HTMLElement;
	readonly reports: Report[];
	/** Until when each of the thin lines of the track is taken, in milliseconds since the epoch. */
	readonly lines: number[];
}

const shortestSpan = 1_000;
const lineCount = 40;
/** After so long a silence, in milliseconds, what comes is another story, and is drawn from the left. */
const silence = 3_000;

/** A timeline in an element, and a list of the same for who does not see it. */
export function createTimeline(container: HTMLElement, list: HTMLElement): Timeline {
	const rows = new Map<string, Row>();
	let begin = 0;
	let end = 0;

	const rowOf = (lane: string): Row => {
		const known = rows.get(lane);
		if (known) return known;
		const section = document.createElement('section');
		const [name, summary, track] = ['h3', 'p', 'div'].map(tag => section.appendChild(document.createElement(tag)));
		if (!name || !summary || !track) throw new Error('The row was not made');
		name.textContent = lane;
		section.dataset['lane'] = lane;
		track.className = 'track';
		track.setAttribute('role', 'img');
		const row = {track, summary, reports: [], lines: []};
		container.append(section);
		rows.set(lane, row);
		return row;
	};

	const clear = (): void => {
		begin = end = 0;
		list.replaceChildren();
		for (const {track, reports, lines} of rows.values()) {
			track.replaceChildren();
			reports.length = lines.length = 0;
		}
	};

	const draw = ({track, lines}: Row, report: Report): void => {
		const mark = document.createElement('i');
		mark.className = `mark ${outcomeOf(report)}`;
		mark.title = report.text;
		mark.style.setProperty('--at', String(report.start - begin));
		mark.style.setProperty('--length', String(report.end - report.start));
		if (report.kind === 'call') {
			const free = lines.findIndex(until => until <= report.start);
			const line = free < 0 ? lines.length : free;
			lines[line] = report.end;
			mark.style.setProperty('--line', String(line % lineCount));
		}
		track.append(mark);
	};

	const add = (reports: readonly Report[]): void => {
		const first = Math.min(...reports.map(({start}) => start));
		if (end > 0 && first > end + silence) clear();
		if (begin === 0) begin = first;
		const touched = new Set<Row>();
		for (const report of reports) {
			const row = rowOf(report.lane);
			row.reports.push(report);
			draw(row, report);
			touched.add(row);
			end = Math.max(end, report.end);
			const item = document.createElement('li');
			item.textContent = `${report.lane}: ${report.text}`;
			list.append(item);
		}
		container.style.setProperty('--span', String(Math.max(end - begin, shortestSpan)));
		for (const {summary, track, reports: all} of touched) {
			summary.textContent = summaryOf(all);
			track.setAttribute('aria-label', summaryOf(all));
		}
	};

	return {add, clear};
}
