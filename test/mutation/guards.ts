/** Lines of a file of src, exactly as they are written, without the whitespace around them. */
type Lines = Readonly<Record<string, readonly string[]>>;

/**
The lines that keep the promises of this package. The mutation tests must kill every mutant of them. The reads of own properties are not
among them, because Stryker has no mutant for a `__proto__` or for a condition of `?:`: the tests of pollution are about those. If you
rewrite one of these lines, change it here, too.
*/
export const guards: Readonly<Record<string, Lines>> = {
	'the origin check': {
		'fetch/authorized-fetch.ts': [
			'const url = request.headers.has(scheme.header) ? undefined : check(request.url);',
			'if (url === undefined) return fetch(request, extra);',
		],
		'fetch/origins.ts': [
			'if (isAllowed(text)) return text;',
			'return isAllowed(href) ? href : undefined;',
			'const isAllowed = (url: string | undefined): boolean => allowed.some(origin => url?.startsWith(origin));',
		],
	},
	'the 401 gate': {
		'fetch/unauthorized.ts': ['if (response.status !== 401) return false;'],
		'fetch/authorized-fetch.ts': [
			'if (!renewed) return response;',
			'call.isRetried = true;',
			'if (call.source === undefined) return response;',
		],
	},
	'the comparison': {
		'token/token-set.ts': ['return a?.access_token === b?.access_token && a?.refresh_token === b?.refresh_token;'],
		'session/session.ts': ['if (isReplaced && isAlive(current, now())) return current;'],
		'session/plan.ts': [
			"if (from && from.access_token !== stale?.access_token && isAlive(from, now)) return {type: 'use', token: from};",
		],
	},
	'the redirect mode': {
		'fetch/redirect.ts': [
			"redirect: 'manual',",
			'following = redirectOf(next, headers, spare?.body ?? source, target, isHome, response.status);',
			'isHome &&= target.origin === new URL(request.url).origin;',
		],
	},
	'the bounds': {
		'oauth/endpoint-response.ts': ['const limit = 2 ** 20;', 'if (size > limit) {'],
	},
	'sign-out': {
		'session/renewal.ts': [
			'if (login === begun.login) return;',
			'if (late && signOuts !== begun.signOuts) revokeInBackground(session, {refresh_token: late});',
		],
		'session/session.ts': ["if (signOuts !== core.signOuts) throw new SessionEndedError('signed_out');"],
		'fetch/authorized-fetch.ts': [
			"if (login !== undefined && login !== core.state.login) throw new SessionEndedError('signed_out');",
		],
	},
	'whose answer a login gets': {
		'login/callback.ts': [
			'return isUnique && answer.state && (answer.code || answer.error) ? answer : ownProperties({});',
		],
		'login/login-flow.ts': [
			"returnTo: [isLocalPath, 'a path of this origin'],",
			'if (pending.tokenEndpoint !== login.tokenEndpoint || !(login.now() < (pending.due as number))) {',
			'(iss !== undefined || ownProperties(login.metadata).authorization_response_iss_parameter_supported)',
			"returnTo: isLocalPath(pending.returnTo) ? pending.returnTo : '/',",
		],
		'login/login-storage.ts': ['if (!/^[\\w-]+$/.test(state) || taking.has(state)) return {};'],
		'login/id-token.ts': ['nonce: claims.nonce === expected.nonce,', 'iss: claims.iss === client.issuer,'],
	},
	'the second look under the lock': {
		'session/renewal.ts': [
			'if (!(await step(session, flight, () => cell.claim(from, spent !== undefined)))) return undefined;',
			'if (!isOurs) return undefined;',
		],
		'stores/shared/locked-cell.ts': ['if (isHeld?.() === false) throw new LockError();'],
	},
	'the write before anyone is told': {
		'session/renewal.ts': ['if (!isStored) return undefined;'],
		'stores/shared/shared-record.ts': ['if (isCompared && isWritten === false) {'],
	},
};

/** One of these lines, and its present position. */
export interface GuardLine {
	readonly guard: string;
	/** The path, relative to src. */
	readonly file: string;
	/** The line number, from 1. */
	readonly line: number;
}

/**
Finds the lines in src.

@param read Returns the text of a file of src.
@throws {Error} if a line is missing.
*/
export function locateGuards(read: (file: string) => string): GuardLine[] {
	return Object.entries(guards).flatMap(([guard, files]) =>
		Object.entries(files).flatMap(([file, lines]) => {
			const written = read(file)
				.split('\n')
				.map(line => line.trim());
			return lines.flatMap(line => {
				const found = written.flatMap((text, index) => (text === line ? [{guard, file, line: index + 1}] : []));
				if (found.length === 0) throw new Error(`${file} has no line of this kind any more, for ${guard}: ${line}`);
				return found;
			});
		}),
	);
}
