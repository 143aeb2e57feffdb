import type {Box} from './mark.ts';

/** A text beside a mark. */
export interface Tip {
	/** Shows a text below a box in an element. */
	show(element: HTMLElement, box: Box, text: string): void;
	hide(): void;
}

/** Creates a tip that lies above everything in a container. Escape hides it. */
export function createTip(container: HTMLElement): Tip {
	const tip = container.appendChild(document.createElement('div'));
	tip.className = 'tip';
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
