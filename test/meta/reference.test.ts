import {execFile} from 'node:child_process';
import {globSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, test} from 'vitest';
import jsr from '../../jsr.json' with {type: 'json'};
import manifest from '../../package.json' with {type: 'json'};
import {type Entry, readReference} from '../support/reference.ts';
import {readThrows} from '../support/thrown-errors.ts';

const entryPoints = Object.values(manifest.exports).flatMap(to => (typeof to === 'string' ? [] : [to.types]));
const reference = readReference('dist', entryPoints);

const namesOf = (entries: readonly Entry[]): string[] => entries.map(({name}) => name);

/** The options that a caller may set. */
const options = /^(?:\w+Options|TokenClient|EndpointDefinition)\./;

/** `peek()` never rejects. If the store fails, an event says so. */
const neverRejects = 'Auth.peek';

/** The functions whose call needs no example: none of them needs more than one argument. */
const obvious = ['clientSecretBasic', 'clientSecretPost', 'isSignedOut', 'none'];

/** The files that declare terms of the protocol. An RFC defines everything that they export. */
const protocol =
	/^(?:oauth\/(?:client-authentication|models|revocation-request|token-endpoint|token-request)|token\/token-response)\.d\.ts$/;

describe('the reference', () => {
	test('the reference says what every export and every member of it is', () => {
		expect(namesOf(reference)).toEqual(
			expect.arrayContaining(['SessionOptions.leeway', 'TokenVault', 'OAuthError.name']),
		);
		expect(namesOf(reference.filter(({text}) => text === ''))).toEqual([]);
	});

	test('the reference names the unit of every number', () => {
		const unit = /\b(?:milliseconds|seconds|HTTP status|version)\b/i;
		const numbers = reference.filter(({isNumber}) => isNumber);
		expect(namesOf(numbers)).toEqual(expect.arrayContaining(['AuthOptions.now', 'TokenSet.expires_at']));
		expect(namesOf(numbers.filter(({text}) => !unit.test(text)))).toEqual([]);
	});

	test('the reference names the default of every option that may be left out', () => {
		const optional = reference.filter(({name, isOptional}) => isOptional && options.test(name));
		expect(namesOf(optional)).toEqual(expect.arrayContaining(['AuthOptions.timeout', 'TokenOptions.signal']));
		expect(
			namesOf(optional.filter(({text, tags}) => !tags['default'] && !/\b(?:Default|Required): /.test(text))),
		).toEqual([]);
	});

	test('the reference names the RFC and its section for every word of the protocol', () => {
		const link = /^https:\/\/www\.rfc-editor\.org\/rfc\/rfc\d+#(?:section|appendix)-[\w.]+$/;
		const words = reference.filter(
			({name, file}) => !name.includes('.') && protocol.test(file) && name !== 'Awaitable',
		);
		expect(namesOf(words)).toEqual(expect.arrayContaining(['requestToken', 'AuthToken', 'clientSecretBasic']));
		expect(namesOf(words.filter(({tags}) => !tags['see']?.some(address => link.test(address))))).toEqual([]);
	});

	test('the reference names what every call may reject with', () => {
		const calls = reference.filter(
			({name, isAsync}) => isAsync && /^(?:\w+|(?:Auth|Endpoint)\.\w+)$/.test(name) && name !== neverRejects,
		);
		expect(namesOf(calls)).toEqual(expect.arrayContaining(['requestToken', 'Auth.signOut', 'Endpoint.request']));
		expect(namesOf(calls.filter(({tags}) => !tags['throws']))).toEqual([]);
	});

	test('the reference shows how to call every function whose call is not obvious', () => {
		const functions = reference.filter(({name}) => /^[a-z]\w*$/.test(name));
		expect(namesOf(functions)).toEqual(expect.arrayContaining([...obvious, 'createAuth', 'dpop', 'memoryStore']));
		const isShown = ({name, tags}: Entry): boolean =>
			tags['example']?.some(text => new RegExp(`^\`\`\`ts .*\\b${name}\\(.*\`\`\`$`).test(text)) ?? false;
		const needed = functions.filter(({name}) => !obvious.includes(name));
		expect(namesOf(needed.filter(entry => !isShown(entry)))).toEqual([]);
	});

	test('the reference names every error that the source of a function throws', () => {
		const found = [...readThrows(Object.values(jsr.exports))];
		expect(Object.fromEntries(found)).toMatchObject({createAuth: ['ConfigError'], redisStore: ['ConfigError']});
		const missing = found.flatMap(([name, errors]) => {
			const words = reference.filter(entry => entry.name === name).flatMap(({tags}) => tags['throws'] ?? []);
			return errors.filter(error => !words.some(text => text.startsWith(`{${error}}`))).map(error => [name, error]);
		});
		expect(missing).toEqual([]);
	});

	test('the reference names no error that is neither exported nor of ky or the platform', () => {
		const known = [...namesOf(reference), 'HTTPError', 'TypeError'];
		const named = reference.flatMap(({tags}) => tags['throws'] ?? []).map(text => /^\{(\w+)\}/.exec(text)?.[1] ?? text);
		expect(named.filter(name => !known.includes(name))).toEqual([]);
	});

	test('typedoc writes the reference without warnings, and no export is missing', {timeout: 300_000}, async () => {
		const folder = mkdtempSync(join(tmpdir(), 'regrant-reference-'));
		try {
			// If typedoc warns, it fails: package.json says so.
			const {stdout} = await promisify(execFile)(process.execPath, [
				'node_modules/typedoc/bin/typedoc',
				'--out',
				folder,
			]);
			expect(stdout).not.toMatch(/warning|error/i);
			const pages = globSync('{functions,classes,interfaces,types,variables}/*.html', {cwd: folder});
			const isPage = ({name}: Entry): boolean => pages.some(page => page.endsWith(`.${name}.html`));
			expect(namesOf(reference.filter(entry => !entry.name.includes('.') && !isPage(entry)))).toEqual([]);
			expect(manifest.typedocOptions).toMatchObject({
				treatWarningsAsErrors: true,
				treatValidationWarningsAsErrors: true,
			});
		} finally {
			rmSync(folder, {recursive: true, force: true});
		}
	});
});
