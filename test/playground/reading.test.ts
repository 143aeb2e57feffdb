import axe from 'axe-core';
import type {Page} from 'playwright';
import {describe, expect} from 'vitest';
import {
	comeBack,
	fillIn,
	holdRefreshes,
	type Playground,
	said,
	settled,
	test,
	type View,
} from '../support/playground.ts';

const wide = {width: 1_280, height: 800} as const;
const small = {width: 360, height: 740} as const;
const views: ReadonlyArray<readonly [string, View]> = [
	['light, wide', wide],
	['dark, wide', {...wide, colorScheme: 'dark'}],
	['light, 360 px', small],
	['dark, 360 px', {...small, colorScheme: 'dark'}],
];

/** Makes the page show everything that it can show at once. */
async function fill({tab, server, click, summary, compare, play}: Playground): Promise<void> {
	await click('sign-in');
	await compare();
	await play('two-tabs');
	for (const details of await tab.locator('#drawer details > summary').all()) {
		await details.press('Enter');
		await settled(tab);
	}
	await click('expire');
	holdRefreshes(server, 40);
	await click('send-40');
	await summary('here', '1 token request 40 answered, 40 retried after a 401');
	await tab.focus(track);
	await tab.keyboard.press('End');
}

const track = '#drawer [data-lane="here"] .track';
const tip = '#drawer .tip';

const valueOf = async (tab: Page): Promise<string | null> => tab.getAttribute(track, 'aria-valuetext');

/** Computes the contrast of two colours by WCAG 2. They are in the format of `getComputedStyle`. */
function contrast(one: string, other: string): number {
	const luminance = (color: string): number => {
		const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map(part => {
			const share = Number(part) / 255;
			return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
	};
	const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
	return (lighter + 0.05) / (darker + 0.05);
}

describe.for(views)('the playground in %s', {timeout: 180_000}, ([name, view]) => {
	const here = test.override('view', view);

	here('the playground has nothing that axe finds fault with, fits, and cuts off no text', async ({playground}) => {
		const {tab, picture} = playground;
		await fill(playground);
		await tab.evaluate(axe.source);
		const {violations, passes} = await tab.evaluate(async () => {
			const {run} = (window as unknown as {axe: typeof axe}).axe; // the line above has added `axe`
			return run(document);
		});
		expect(violations.map(({id, nodes}) => [id, nodes.map(({html}) => html)])).toEqual([]);
		expect(passes.map(({id}) => id)).toEqual(
			expect.arrayContaining(['color-contrast', 'button-name', 'aria-input-field-name']),
		);
		expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(view.width);
		const cut = await tab.evaluate(() =>
			[...document.querySelectorAll('main *')]
				.filter(element => element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1)
				.map(({localName, className}) => `${localName}.${className}`),
		);
		expect(cut).toEqual([]);
		await picture(`everything-${name.replaceAll(/\W+/g, '-')}`);
	});

	here(
		'the playground shows the whole comparison on the first screen, and its verdicts without scrolling',
		async ({playground}) => {
			const {tab, compare, picture} = playground;
			await compare();
			const bottoms = await tab.evaluate(() =>
				[...document.querySelectorAll('#story .verdict')].map(verdict => verdict.getBoundingClientRect().bottom),
			);
			expect(bottoms).toEqual([1, 2].map(() => expect.toSatisfy(bottom => bottom < view.height)));
			await picture(`story-${name.replaceAll(/\W+/g, '-')}`);
		},
	);

	here('the playground shows the result of a trouble beside its button', async ({playground}) => {
		const {tab, play, picture} = playground;
		await play('two-tabs');
		const gap = await tab.evaluate(() => {
			const panel = document.querySelector('.trouble.chosen');
			const [button, verdict] = ['button', '.told .verdict'].map(part =>
				panel?.querySelector(part)?.getBoundingClientRect(),
			);
			return (verdict?.top ?? Infinity) - (button?.bottom ?? 0);
		});
		expect(gap).toSatisfy(pixels => pixels >= 0 && pixels < 40);
		await picture(`stage-${name.replaceAll(/\W+/g, '-')}`);
	});

	here('the playground has marks that stand out from the track that they are drawn on', async ({playground: {tab}}) => {
		const {marks, ground} = await tab.evaluate(() => ({
			// A pale mark has edges, which distinguish it from the track.
			marks: [...document.querySelectorAll('#stage .swatch')].map(swatch => {
				const {backgroundColor, borderTopColor, borderTopStyle} = getComputedStyle(swatch);
				return borderTopStyle === 'solid' ? borderTopColor : backgroundColor;
			}),
			ground: getComputedStyle(document.querySelector('.track') ?? document.body).backgroundColor,
		}));
		expect(new Set(marks).size).toBe(7);
		for (const mark of marks)
			expect([mark, contrast(mark, ground)]).toEqual([mark, expect.toSatisfy(ratio => ratio >= 3)]);
	});
});

describe('by keyboard', {timeout: 180_000}, () => {
	test('every control is reached by keyboard in the order in which it is read, and shows that it is', async ({
		playground: {tab},
	}) => {
		// The drawer is opened without a click, so that the focus remains at the beginning of the page.
		await tab.evaluate(() => document.querySelector('#drawer')?.setAttribute('open', ''));
		const expected = await tab.evaluate(() =>
			[...document.querySelectorAll<HTMLElement>('button, select, input, canvas[tabindex], summary')]
				// Tab reaches only one radio button of a group. Arrow keys reach the others.
				.filter(
					element =>
						element.checkVisibility({visibilityProperty: true}) && !element.matches('[type=radio]:not(:checked)'),
				)
				.map(element => element.id || element.ariaLabel || element.textContent || element.getAttribute('value')),
		);
		const reached: (string | null)[] = [];
		while (reached.length < expected.length) {
			await tab.keyboard.press('Tab');
			const {name, outline} = await tab.evaluate(() => {
				const element = document.activeElement ?? document.body;
				const name = element.id || element.ariaLabel || element.textContent || element.getAttribute('value');
				return {name, outline: getComputedStyle(element).outlineStyle};
			});
			reached.push(name);
			expect([name, outline]).toEqual([name, 'solid']);
		}
		expect(reached).toEqual(expected);
		expect(new Set(reached).size).toBe(reached.length);
	});

	test('a trouble is chosen and played by keyboard', async ({playground: {tab, server}}) => {
		await tab.focus('input[value="two-tabs"]');
		await tab.keyboard.press('ArrowLeft');
		await tab.keyboard.press('ArrowLeft');
		expect(await tab.isVisible('[data-trouble="asleep"] button')).toBe(true);
		await tab.keyboard.press('ArrowRight');
		await tab.keyboard.press('ArrowRight');
		await tab.keyboard.press('Tab');
		await tab.keyboard.press('Enter');
		await expect
			.poll(() => tab.textContent('[data-trouble="two-tabs"] .told .verdict'))
			.toBe('1 refresh · 40 calls answered · Ann is still signed in');
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a session is begun, broken and used by keyboard', async ({playground: {tab, server}}) => {
		const press = async (id: string, key: string): Promise<string> => {
			await tab.press(`#${id}`, key);
			return said(tab, id);
		};
		await tab.press('#drawer > summary', 'Enter');
		await settled(tab);
		await tab.press('#sign-in', 'Enter');
		await fillIn(tab, 'Ann');
		expect(await comeBack(tab)).toBe('signed in');
		// The focus is where it was before.
		expect(await tab.evaluate(() => document.activeElement?.id)).toBe('sign-in');
		expect(await press('offline', 'Space')).toBe('this tab is offline');
		expect(await press('offline', 'Space')).toBe('this tab is online');
		expect(await press('send-40', 'Space')).toBe('40 sent: 40 answered 200');
		expect(server.calls).toHaveLength(40);
	});

	test('the marks of a lane are stepped through by keyboard, each with all its detail', async ({playground}) => {
		const {tab} = playground;
		await fill(playground);
		const last = await valueOf(tab);
		expect(last).toMatch(/^tab 1, retry: GET \/accounts, access token #[0-9a-f]{4} → 200, \d+ ms$/);
		expect(await tab.textContent(tip)).toBe(last);
		await tab.keyboard.press('Home');
		expect(await valueOf(tab)).toBe('tab 1: token (set)');
		await tab.keyboard.press('ArrowRight');
		expect(await valueOf(tab)).toMatch(/^tab 1, call: GET \/accounts, access token #[0-9a-f]{4} → 401, \d+ ms$/);
		await tab.keyboard.press('ArrowLeft');
		expect(await valueOf(tab)).toBe('tab 1: token (set)');
		expect(await tab.isVisible(tip)).toBe(true);
		await tab.keyboard.press('Escape');
		expect(await tab.isVisible(tip)).toBe(false);
		await tab.focus('#sign-in');
		expect(await valueOf(tab)).toBe('1 token request, 40 answered, 40 retried after a 401');
	});
});

describe('by pointer', {timeout: 180_000}, () => {
	test('a mark that is hovered over tells its detail, and no secret', async ({playground}) => {
		const {tab, server, click, summary, picture} = playground;
		await click('sign-in');
		await click('expire');
		holdRefreshes(server, 40);
		await click('send-40');
		await summary('here', '1 token request 40 answered, 40 retried after a 401');
		await tab.locator(track).scrollIntoViewIfNeeded();
		const box = await tab.locator(track).boundingBox();
		if (!box) throw new Error('The lane is not there');
		const grant = /^tab 1, token request: POST \/token, refresh_token #[0-9a-f]{4} → 200, \d+ ms$/;
		// Moves the mouse from left to right at the height of the token requests, until it is on the only one.
		for (let x = 0; x < box.width && !grant.test((await tab.textContent(tip)) ?? ''); x += 5) {
			await tab.mouse.move(box.x + x, box.y + 28);
		}
		expect(await tab.textContent(tip)).toMatch(grant);
		expect(await tab.isVisible(tip)).toBe(true);
		await picture('hover');
		await tab.mouse.move(box.x + box.width / 2, box.y - 150);
		expect(await tab.isVisible(tip)).toBe(false);
	});
});

test('what `npm start` printed can be read again', async ({playground: {tab}}) => {
	expect(await tab.textContent('#trace')).toBe('What was printed');
});
