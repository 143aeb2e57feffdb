import {detailOf, outcomeOf, type Report} from '../report.ts';

/** Everything that happened on the page, in words. */
export interface List {
	/** Adds a report. It replaces an earlier one with the same id. */
	add(report: Report): void;
	clear(): void;
}

/** The oldest items leave when there are more. */
const most = 2_500;

/** Creates the list in an element. */
export function createList(element: HTMLElement): List {
	const items = new Map<string, HTMLElement>();
	return {
		add(report) {
			const item = items.get(report.id) ?? element.appendChild(document.createElement('li'));
			item.textContent = detailOf(report);
			item.className = `${report.kind} ${outcomeOf(report)}`;
			items.set(report.id, item);
			const [oldest] = items;
			if (items.size <= most || !oldest) return;
			oldest[1].remove();
			items.delete(oldest[0]);
		},
		clear() {
			items.clear();
			element.replaceChildren();
		},
	};
}
