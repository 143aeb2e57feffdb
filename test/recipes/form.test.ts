// @vitest-environment happy-dom
import ky, {type KyInstance} from 'ky';
import {expect, test as base} from 'vitest';
import {createTransfer, submit} from '../../playground/recipes/form.ts';

/** A page with the form, and an API whose answers the test sets. */
const test = base
	.extend('sent', (): unknown[] => [])
	.extend('answer', () => ({current: (): Response => Response.json({transferID: 't-1'})}))
	.extend('api', ({sent, answer}): KyInstance =>
		ky.create({
			baseUrl: 'https://api.example/',
			retry: 0,
			fetch: async (input, init) => {
				const request = new Request(input, init);
				sent.push([new URL(request.url).pathname, await request.json()]);
				return answer.current();
			},
		}),
	)
	.extend('form', (): HTMLFormElement => {
		document.body.innerHTML =
			'<form novalidate><input name="recipient"><input name="amount"><button>Send</button></form>';
		return document.querySelector('form') as HTMLFormElement;
	});

const field = (form: HTMLFormElement, name: string): HTMLInputElement =>
	form.elements.namedItem(name) as HTMLInputElement;

function fill(form: HTMLFormElement, values: Readonly<Record<string, string>>): void {
	for (const [name, value] of Object.entries(values)) field(form, name).value = value;
}

const shown = (form: HTMLFormElement): string[] =>
	['recipient', 'amount'].map(name => field(form, name).validationMessage);

test('the form sends valid fields', async ({form, api, sent}) => {
	fill(form, {recipient: ' Ada ', amount: '12.50'});
	expect(await submit(form, api, 'a/1')).toBe('t-1');
	expect(sent).toEqual([['/accounts/a%2F1/transfers', {recipient: 'Ada', amount: 1250}]]);
	expect(form.checkValidity()).toBe(true);
});

test('the form shows the messages of the schema at their fields, and sends nothing', async ({form, api, sent}) => {
	fill(form, {recipient: ' ', amount: 'twelve'});
	expect(await submit(form, api, 'a')).toBeUndefined();
	expect(shown(form)).toEqual(['Who gets the money?', 'Write the amount as 12 or 12.50']);
	expect(form.checkValidity()).toBe(false);
	expect(sent).toEqual([]);
});

test('the form shows what the server says about the fields', async ({form, api, answer}) => {
	answer.current = () => Response.json({amount: 'This is more than you have'}, {status: 422});
	fill(form, {recipient: 'Ada', amount: '12'});
	expect(await submit(form, api, 'a')).toBeUndefined();
	expect(shown(form)).toEqual(['', 'This is more than you have']);
});

test('the form shows at its button what the server says about a field that it does not have', async ({
	form,
	api,
	answer,
}) => {
	answer.current = () => Response.json({limit: 'You have reached your limit of today'}, {status: 422});
	fill(form, {recipient: 'Ada', amount: '12'});
	expect(await submit(form, api, 'a')).toBeUndefined();
	expect([...shown(form), form.querySelector('button')?.validationMessage]).toEqual([
		'',
		'',
		'You have reached your limit of today',
	]);
});

test('the form takes its messages away when the user corrects a field', async ({form, api}) => {
	fill(form, {recipient: ' ', amount: 'twelve'});
	await submit(form, api, 'a');
	expect(form.checkValidity()).toBe(false);
	field(form, 'amount').dispatchEvent(new Event('input', {bubbles: true}));
	expect(shown(form)).toEqual(['', '']);
	expect(form.checkValidity()).toBe(true);
});

test('the form validates once', async ({form, api}) => {
	let runs = 0;
	const {validate} = createTransfer.definition.json['~standard'];
	Object.assign(createTransfer.definition.json['~standard'], {
		validate: (value: unknown) => {
			runs += 1;
			return validate(value);
		},
	});
	fill(form, {recipient: '', amount: '0'});
	await submit(form, api, 'a');
	expect([runs, ...shown(form)]).toEqual([1, 'Who gets the money?', 'Send one cent at least']);
});

test('the form passes on errors that do not concern a field', async ({form, api, answer}) => {
	answer.current = () => new Response(null, {status: 500});
	fill(form, {recipient: 'Ada', amount: '12'});
	await expect(submit(form, api, 'a')).rejects.toMatchObject({name: 'HTTPError'});
});

test('the form lets the user correct a field and send again', async ({form, api, sent}) => {
	fill(form, {recipient: 'Ada', amount: 'twelve'});
	expect(await submit(form, api, 'a')).toBeUndefined();
	expect(shown(form)).toEqual(['', 'Write the amount as 12 or 12.50']);
	fill(form, {amount: '12'});
	expect(await submit(form, api, 'a')).toBe('t-1');
	expect(shown(form)).toEqual(['', '']);
	expect(sent).toEqual([['/accounts/a/transfers', {recipient: 'Ada', amount: 1200}]]);
});
