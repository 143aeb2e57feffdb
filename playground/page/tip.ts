import type {Box} from './mark.ts';

/** What is said of one mark, beside it. */
export interface Tip {
	/** Says it below a box in an element. */
	show(element: HTMLElement, box: Box, text: string): void;
	hide(): void;
}

/** A tip above everything in a container. Escape hides it, too. */
export function createTip(container: HTMLElement): Tip {
	const tip = container.appendChild(document.createElement('div'));
	tip.id = 'tip';
	tip.setAttribute('role', 'tooltip');
	tip.hidden = true;
	const hide = (): void => {
		tip.hidden = true;
	};
	document.addEventListener('keydown', ({key}) => {
		if (key === 'Escape') hide();
	});
	return {
		hide,
		show(element, box, text) {
			tip.textContent = text;
			tip.hidden = false;
			const left = Math.min(element.offsetLeft + box.x, container.clientWidth - tip.offsetWidth);
			const top = element.offsetTop + box.y + box.height + 8;
			tip.style.transform = `translate(${Math.max(left, 0)}px, ${top}px)`;
		},
	};
}
