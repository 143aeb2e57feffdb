import axe from 'axe-core';
import type {Page} from 'playwright';
import {describe, expect} from 'vitest';
import {type Playground, said, test, type View} from '../support/playground.ts';

const wide = {width: 1_180, height: 1_000} as const;
const small = {width: 360, height: 800} as const;
const views: ReadonlyArray<readonly [string, View]> = [
	['light, wide', wide],
	['dark, wide', {...wide, colorScheme: 'dark'}],
	['light, 360 px', small],
	['dark, 360 px', {...small, colorScheme: 'dark'}],
];

/** Puts on the page all that it can show at once. */
async function fill({tab, click, summary}: Playground): Promise<void> {
	for (const details of await tab.locator('summary').all()) await details.press('Enter');
	await tab.evaluate(async () => {
		// It is laid out, and that is noticed.
		await new Promise(requestAnimationFrame);
		await new Promise(requestAnimationFrame);
	});
	await click('sign-in');
	await click('expire');
	await click('send-40');
	await summary('here', '1 grant 40 × 200, 40 × 401');
	await tab.focus('[data-lane="here"] .track');
	await tab.keyboard.press('End');
}

const valueOf = async (tab: Page): Promise<string | null> =>
	tab.getAttribute('[data-lane="here"] .track', 'aria-valuetext');

/** The contrast of two colours as `getComputedStyle` writes them, by WCAG 2. */
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

describe.for(views)('the playground in %s', {timeout: 60_000}, ([name, view]) => {
	const here = test.override('view', view);

	here('has nothing that axe finds fault with, and fits', async ({playground}) => {
		const {tab, picture} = playground;
		await fill(playground);
		await tab.evaluate(axe.source);
		const {violations, passes} = await tab.evaluate(async () => {
			const {run} = (window as unknown as {axe: typeof axe}).axe; // which was just put there
			return run(document);
		});
		expect(violations.map(({id, nodes}) => [id, nodes.map(({html}) => html)])).toEqual([]);
		expect(passes.map(({id}) => id)).toEqual(
			expect.arrayContaining(['color-contrast', 'button-name', 'aria-input-field-name']),
		);
		expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(view.width);
		await picture(name.replaceAll(/\W+/g, '-'));
	});

	here('has marks that stand out from what they are drawn on', async ({playground: {tab}}) => {
		const {marks, ground} = await tab.evaluate(() => ({
			marks: [...document.querySelectorAll('.swatch')].map(swatch => getComputedStyle(swatch).backgroundColor),
			ground: getComputedStyle(document.querySelector('.track') ?? document.body).backgroundColor,
		}));
		expect(marks).toHaveLength(6);
		for (const mark of marks)
			expect([mark, contrast(mark, ground)]).toEqual([mark, expect.toSatisfy(ratio => ratio >= 3)]);
	});
});

describe('by keyboard', {timeout: 60_000}, () => {
	test('every control is reached in the order in which it is read, and shows that it is', async ({
		playground: {tab},
	}) => {
		const expected = await tab.evaluate(() =>
			[...document.querySelectorAll('button, select, input, canvas[tabindex], summary')].map(
				element => element.id || element.ariaLabel || element.textContent,
			),
		);
		const reached: string[] = [];
		while (reached.length < expected.length) {
			await tab.keyboard.press('Tab');
			const {name, outline} = await tab.evaluate(() => {
				const element = document.activeElement ?? document.body;
				const name = element.id || element.ariaLabel || element.textContent;
				return {name, outline: getComputedStyle(element).outlineStyle};
			});
			reached.push(name);
			expect([name, outline]).toEqual([name, 'solid']);
		}
		expect(reached).toEqual(expected);
		expect(new Set(reached).size).toBe(reached.length);
	});

	test('a session is begun, broken and used', async ({playground: {tab, server}}) => {
		const press = async (id: string, key: string): Promise<string> => {
			await tab.press(`#${id}`, key);
			return said(tab);
		};
		expect(await press('sign-in', 'Enter')).toBe('signed in');
		expect(await press('offline', 'Space')).toBe('this tab is offline');
		expect(await press('offline', 'Space')).toBe('this tab is online');
		expect(await press('send-40', 'Space')).toBe('40 sent: 40 answered 200');
		expect(server.calls).toHaveLength(40);
	});

	test('the marks of a lane are stepped through, each with all its detail', async ({playground}) => {
		const {tab} = playground;
		await fill(playground);
		const last = await valueOf(tab);
		expect(last).toMatch(/^tab 1, retry: GET \/accounts, access token #[0-9a-f]{4} → 200, \d+ ms$/);
		expect(await tab.textContent('#tip')).toBe(last);
		await tab.keyboard.press('Home');
		expect(await valueOf(tab)).toBe('tab 1: token (set)');
		await tab.keyboard.press('ArrowRight');
		expect(await valueOf(tab)).toMatch(/^tab 1, call: GET \/accounts, access token #[0-9a-f]{4} → 401, \d+ ms$/);
		await tab.keyboard.press('ArrowLeft');
		expect(await valueOf(tab)).toBe('tab 1: token (set)');
		expect(await tab.isVisible('#tip')).toBe(true);
		await tab.keyboard.press('Escape');
		expect(await tab.isVisible('#tip')).toBe(false);
		await tab.focus('#sign-in');
		expect(await valueOf(tab)).toBe('1 grant, 40 × 200, 40 × 401');
	});
});

describe('by pointer', {timeout: 60_000}, () => {
	test('a mark that is hovered over tells its detail, and no secret', async ({playground}) => {
		const {tab, click, summary, picture} = playground;
		await click('sign-in');
		await click('expire');
		await click('send-40');
		await summary('here', '1 grant 40 × 200, 40 × 401');
		const track = await tab.locator('[data-lane="here"] .track').boundingBox();
		if (!track) throw new Error('The lane is not there');
		const grant = /^tab 1, grant: POST \/token, refresh_token #[0-9a-f]{4} → 200, \d+ ms$/;
		// From left to right at the height of the grants, of which there is but one.
		for (let x = 0; x < track.width && !grant.test((await tab.textContent('#tip')) ?? ''); x += 5) {
			await tab.mouse.move(track.x + x, track.y + 30);
		}
		expect(await tab.textContent('#tip')).toMatch(grant);
		expect(await tab.isVisible('#tip')).toBe(true);
		await picture('hover');
		await tab.mouse.move(track.x + track.width / 2, track.y - 200);
		expect(await tab.isVisible('#tip')).toBe(false);
	});
});

test('what `npm start` printed can be read again', async ({playground: {tab}}) => {
	expect(await tab.textContent('#trace')).toBe('What was printed');
});
