/** Finds an element that the page is known to have. */
export function element<Kind extends Element>(id: string, kind: new () => Kind): Kind {
	return known(document.getElementById(id), kind, id);
}

/** Finds the first element in a container that a selector matches. */
export function part<Kind extends Element>(container: ParentNode, selector: string, kind: new () => Kind): Kind {
	return known(container.querySelector(selector), kind, selector);
}

function known<Kind extends Element>(found: Element | null, kind: new () => Kind, name: string): Kind {
	if (!(found instanceof kind)) throw new Error(`The page has no ${name}`);
	return found;
}
