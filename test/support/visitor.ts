/** A browser without windows. It keeps cookies, follows redirects and submits forms. */
export interface Visitor {
	/** Opens a page. Follows redirects until `isEnd` returns true for the target of one. */
	open(url: string, init?: RequestInit, isEnd?: (url: string) => boolean): Promise<Visit>;
	/** Submits the first form of a page, with these fields and its hidden ones. */
	submit(visit: Visit, fields: Readonly<Record<string, string>>, isEnd?: (url: string) => boolean): Promise<Visit>;
	/** The cookies by name. */
	readonly cookies: Map<string, string>;
}

/** A page, or the target of a redirect that was not followed. */
export interface Visit {
	readonly url: string;
	readonly status: number;
	readonly text: string;
}

const attribute = (tag: string, name: string): string =>
	new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&') ?? '';

/** Creates a browser without cookies. All ports of a host share their cookies, as in real browsers. */
export function createVisitor(): Visitor {
	const cookies = new Map<string, string>();

	const take = (lines: readonly string[]): void => {
		for (const line of lines) {
			const [pair = '', ...attributes] = line.split('; ');
			const [name = '', ...value] = pair.split('=');
			const isOver = attributes.some(text => /^max-age=0$|^expires=Thu, 01 Jan 1970/i.test(text));
			if (isOver) cookies.delete(name);
			else cookies.set(name, value.join('='));
		}
	};

	const open: Visitor['open'] = async (url, init = {}, isEnd = () => false) => {
		const cookie = [...cookies].map(pair => pair.join('=')).join('; ');
		const headers = {...(init.headers as Record<string, string> | undefined), cookie};
		const response = await fetch(url, {...init, headers, redirect: 'manual'});
		take(response.headers.getSetCookie());
		const location = response.headers.get('location');
		if (location === null) return {url, status: response.status, text: await response.text()};
		const next = new URL(location, url).href;
		if (isEnd(next)) return {url: next, status: response.status, text: ''};
		return open(next, {}, isEnd);
	};

	return {
		cookies,
		open,
		async submit({url, text}, fields, isEnd) {
			const [, action = ''] = /<form[^>]* action="([^"]*)"/.exec(text) ?? [];
			const hidden = [...text.matchAll(/<input[^>]*>/g)].map(([tag]) => [
				attribute(tag, 'name'),
				attribute(tag, 'value'),
			]);
			const body = new URLSearchParams({...Object.fromEntries(hidden), ...fields}).toString();
			const headers = {'content-type': 'application/x-www-form-urlencoded'};
			return open(new URL(action.replaceAll('&amp;', '&'), url).href, {method: 'POST', headers, body}, isEnd);
		},
	};
}
