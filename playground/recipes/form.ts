// A form whose fields show the messages of a schema. There is only the schema of the endpoint: its messages are for users, and the call
// validates, so the page does not have to. Run: npx vitest run test/recipes/form.test.ts
import type {KyInstance} from 'ky';
import {endpoint, RequestValidationError} from 'regrant';
import * as v from 'valibot';

export const createTransfer = endpoint({
	method: 'post',
	path: 'accounts/{accountID}/transfers',
	json: v.object({
		recipient: v.pipe(v.string(), v.trim(), v.nonEmpty('Who gets the money?')),
		amount: v.pipe(
			v.string(),
			v.regex(/^\d+(?:\.\d\d)?$/, 'Write the amount as 12 or 12.50'),
			v.transform(text => Math.round(Number(text) * 100)),
			v.minValue(1, 'Send one cent at least'),
		),
	}),
	response: v.object({transferID: v.string()}),
	// Errors that only the server can find, by the names of the same fields.
	errors: {422: v.record(v.string(), v.string())},
});

/**
Sends the form when it is submitted. Returns the id of the transfer, or undefined if the form shows what to correct. The form has the
attribute `novalidate`, so that the browser lets the user submit it again. A message for which it has no field is shown at its button.
*/
export async function submit(form: HTMLFormElement, api: KyInstance, accountID: string): Promise<string | undefined> {
	const fields = [...form.elements] as HTMLInputElement[];
	const show = (name: string, message: string): void =>
		(fields.find(field => field.name === name) ?? fields.at(-1))?.setCustomValidity(message);
	const clear = (): void => fields.forEach(field => field.setCustomValidity(''));
	clear();
	form.addEventListener('input', clear, {once: true});
	// The schema checks the types.
	const json = Object.fromEntries(new FormData(form)) as {recipient: string; amount: string};
	try {
		const {transferID} = await createTransfer(api, {params: {accountID}, json});
		return transferID;
	} catch (error) {
		if (error instanceof RequestValidationError) {
			for (const {path, message} of error.issues) show(path.replace('json.', ''), message);
		} else if (createTransfer.isError(error, 422)) {
			for (const [name, message] of Object.entries(error.data)) show(name, message);
		} else throw error;
		form.reportValidity();
		return undefined;
	}
}
