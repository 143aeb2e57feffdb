/** Lines of a file of src, as they are written, less what stands before and behind. */
type Lines = Readonly<Record<string, readonly string[]>>;

/**
The lines that keep the promises of this package: no mutant of them may live. A line that is written in another way has to be
written here, too.
*/
export const guards: Readonly<Record<string, Lines>> = {
	'the origin check': {
		'authorized-fetch.ts': [
			"if (request.headers.has('authorization')) return fetch(request, extra);",
			"if (!origins) throw new ConfigError('origins, baseUrl or prefix is required');",
			'if (!origin) return fetch(request, extra);',
			'const startOf = (text?: string): string | undefined => origins.find(origin => text?.startsWith(origin));',
		],
		'secure-url.ts': [
			"if (typeof value !== 'string' && Object.prototype.toString.call(value) !== '[object URL]') return undefined;",
			"if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname))) return url;",
			String.raw`const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;`,
		],
		'options.ts': [
			"return url?.href.startsWith(`${url.origin}/`) && !url.href.includes('#');",
			'origins: origins?.map(origin => `${new URL(origin).origin}/`),',
		],
		'auth.ts': ['origins = baseUrl || prefix ? [`${target?.origin}/`] : undefined;'],
	},
	'the 401 gate': {
		'authorized-fetch.ts': [
			'if (response.status !== 401 || (response.url && !listedOrigin(response.url, [origin]))) return false;',
			"const bearers = challenges.filter(({scheme}) => scheme === 'bearer');",
			"const errors = bearers.flatMap(({parameters}) => parameters['error'] ?? []);",
			"if (errors.length > 0) return errors.includes('invalid_token');",
			'return bearers.length > 0 || challenges.length === 0;',
			'if (isRetried || !isRefused(response, origin)) return response;',
			'isRetried = true;',
			'if (isStream) return response;',
		],
	},
	'the comparison': {
		'renewal.ts': [
			'if (from && from.access_token !== stale?.access_token && secondsLeft(from, now) > 0) return from;',
			'!!refresh_token && refresh_token !== dead && refresh_token !== spent;',
		],
		'token-response.ts': ['return a?.access_token === b?.access_token && a?.refresh_token === b?.refresh_token;'],
		'session.ts': ['if (current.access_token !== carried.access_token && isFresh(current, settings)) return current;'],
	},
	'the redirect mode': {
		'token-endpoint.ts': ["redirect: 'manual',"],
		'answer.ts': ["if (redirected || type === 'opaqueredirect' || (status >= 300 && status < 400)) {"],
		'redirect.ts': [
			'const credentials = /^(?:(?:proxy-)?authorization|cookie|dpop)$/;',
			"if (request.redirect !== 'follow') return send(request);",
			'if (hops === mostHops) throw undefined;',
			'const isElsewhere = target.origin !== new URL(url).origin;',
			"if ((becomesGet && name.startsWith('content-')) || (isElsewhere && credentials.test(name))) kept.delete(name);",
		],
		'refusal.ts': ["if (flaw === 'unexpected_redirect') return new TokenResponseError(flaw, facts);"],
	},
	'the bounds': {
		'answer.ts': ['const limit = 2 ** 20;', 'if (size > limit) {'],
		'field.ts': [String.raw`export const vschars: RegExp = /^[\x20-\x7E]+$/;`],
		'token-response.ts': [
			String.raw`access_token: field('access_token', /^[\w.~+/-]+=*$/, 'a bearer token'),`,
			'Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= lastSecond;',
			'if (!(seconds >= 0)) return undefined;',
			'if (!reading.tokenTypes.includes(token_type.toLowerCase())) {',
		],
		'token-request.ts': [
			"const scope = field('scope', /^[!#-[\\]-~]+(?: [!#-[\\]-~]+)*$/, 'scope tokens with single spaces between');",
		],
		'refusal.ts': [
			'return delay === undefined ? undefined : Math.min(delay, 3_600_000);',
			"return shown.slice(0, length).replace(/[^ !#-[\\]-~]/g, '?');",
			'for (const secret of secrets) shown = shown.split(secret.slice(0, 8), 1).join();',
		],
	},
	'sign-out': {
		'renewal.ts': [
			'if (begun.epoch === state.epoch) return;',
			'if (begun.signOuts !== state.signOuts) settings.waitUntil(revokeRefreshToken(settings, late).catch(() => {}));',
		],
		'session.ts': [
			'if (!late || epoch !== state.epoch || late.issued_at * 1000 > now) return undefined;',
			'if (!current || signOuts !== state.signOuts) return undefined;',
			"if (before !== signOutCalls) throw new SessionEndedError('signed_out');",
		],
		'session-record.ts': ['if (before !== changes) continue;'],
	},
	'own-property reads': {
		'own.ts': [
			'return {__proto__: null, ...value} as unknown as T;',
			"const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);",
			'return isRecord ? own(value as Record<string, unknown>) : undefined;',
			'return Object.hasOwn(value, name) ? value[name] : undefined;',
		],
		'token-store.ts': ['return !!store[name] && store[name] !== ({} as Partial<TokenStore>)[name];'],
	},
	'the second look under the lock': {
		'renewal.ts': [
			'if (!isSameToken(await record.read(settings, undefined, true), from)) return undefined;',
			'if (isHeld?.() === false) throw new LockError();',
			'if (!isSameToken(current, from)) return undefined;',
		],
		'session-record.ts': [
			"if (error && isLocked && can(store, 'lock') && isTelling && !isUnsaved) throw new LockError();",
		],
	},
	'the write before anyone is told': {
		'renewal.ts': [
			'if (!isKept) return undefined;',
			'if (from && token) await record.replace(settings, from, own({...from, ...token}));',
			"if (!refused || !(error instanceof OAuthError) || error.error !== 'invalid_grant' || error.retryable) throw error;",
		],
		'session-record.ts': [
			"if ((await operate(operation, settings)) === false && isReplacing && can(store, 'replace')) return false;",
			'outdated = replaced;',
			'isUnsaved = !!error;',
		],
	},
};

/** A line that must hold, and where it is now. */
export interface GuardLine {
	readonly guard: string;
	/** Below src. */
	readonly file: string;
	/** From 1. */
	readonly line: number;
}

/**
Where the guards are.

@param read Gives the text of a file of src.
@throws {Error} where a line is not there.
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
