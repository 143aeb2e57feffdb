import type {RoomLog, Script, SeenRequest, Stage, Staged} from '../faults/room.ts';
import {answerOf} from './fault-answer.ts';
import {createFaultVault} from './fault-vault.ts';
import type {CapturedRequest, Reply} from './serve.ts';

/** The servers of a room. */
export type Kind = 'token' | 'revocation' | 'api' | 'elsewhere';

/** The state of one test at the fault server. */
export interface FaultRoom {
	readonly login: {readonly access_token: string; readonly refresh_token: string};
	/** Answers a request to one of the servers. `path` is relative to the room. */
	answer(kind: Kind, path: string, request: CapturedRequest, client: AbortSignal): Promise<Reply>;
	mend(): void;
	release(): void;
	expire(): void;
	log(): RoomLog;
}

const refusal: Staged = {status: 401, headers: [['www-authenticate', 'Bearer error="invalid_token"']], body: '{}'};
const json = (value: unknown): Staged => ({
	headers: [['content-type', 'application/json']],
	body: JSON.stringify(value),
});
const granted = {access_token: '<access>', token_type: 'Bearer', expires_in: 600};

/** Creates a room. The placeholders for servers stand for these URLs. */
export function createFaultRoom(script: Script, urls: Readonly<Record<string, string>>): FaultRoom {
	const vault = createFaultVault(script.isLenient);
	const login = {access_token: vault.issueAccess(), refresh_token: vault.issueRefresh()};
	if (script.isDead) vault.expire();
	const seen: Record<Kind, SeenRequest[]> = {token: [], revocation: [], api: [], elsewhere: []};
	const release = Promise.withResolvers<void>();
	let isMended = false;
	let abandoned = 0;

	const staged = (stage: Stage | undefined, index: number): Staged | undefined => {
		if (isMended || !stage) return undefined;
		return 'untilMended' in stage ? stage.untilMended : stage[index];
	};

	const byItself: Readonly<Record<Kind, (request: CapturedRequest) => Staged>> = {
		token(request) {
			const parameters = parametersOf(request);
			if (parameters['grant_type'] === 'client_credentials') return json(granted);
			const isGood = vault.spend(parameters['refresh_token'] ?? '');
			if (!isGood) return {...json({error: 'invalid_grant'}), status: 400};
			return json({...granted, refresh_token: '<refresh>'});
		},
		revocation(request) {
			vault.revoke(parametersOf(request)['token'] ?? '');
			return {};
		},
		api({headers}) {
			const [, token = ''] = /^Bearer (.*)$/.exec(headers['authorization'] ?? '') ?? [];
			return vault.isGood(token) ? json({is: 'served'}) : refusal;
		},
		elsewhere: () => refusal,
	};

	const filler = (request: CapturedRequest): ((text: string) => string) => {
		const words: Readonly<Record<string, () => string>> = {
			access: vault.issueAccess,
			useless: vault.issueUseless,
			refresh: vault.issueRefresh,
			sent: () => parametersOf(request)['refresh_token'] ?? '',
			body: () => request.body,
			authorization: () => request.headers['authorization']?.split(' ').pop() ?? '',
		};
		// Within one answer, a placeholder always has the same value.
		const told = new Map<string, string>();
		const tell = (word: string): string | undefined => {
			const value = told.get(word) ?? words[word]?.() ?? urls[word];
			if (value !== undefined) told.set(word, value);
			return value;
		};
		return text => text.replace(/<(\w+)>/g, (whole, word: string) => tell(word) ?? whole);
	};

	return {
		login,
		async answer(kind, path, request, client) {
			const {method, headers, body, bytes} = request;
			const index = seen[kind].length;
			const entry = {method, path, headers, body, bytes: Buffer.from(bytes).toString('hex'), status: 0};
			seen[kind].push(entry);
			const play = staged(script[kind], index);
			if (play?.fault === 'hang') await new Promise(resolve => client.addEventListener('abort', resolve));
			if (play?.fault === 'held') await release.promise;
			if (play?.rotates) vault.issueRefresh();
			const isAnswered = play && (play.fault !== 'held' || play.body !== undefined || play.status !== undefined);
			const reply = answerOf(isAnswered ? play : byItself[kind](request), filler(request), () => abandoned++);
			entry.status = reply.status ?? 0;
			return reply;
		},
		mend() {
			isMended = true;
		},
		release: release.resolve,
		expire: vault.expire,
		log: () => ({
			...seen,
			accessTokens: vault.accessTokens,
			refreshTokens: vault.refreshTokens,
			uselessTokens: vault.uselessTokens,
			isReused: vault.isReused(),
			abandoned,
		}),
	};
}

function parametersOf({headers, body}: CapturedRequest): Record<string, string | undefined> {
	if (headers['content-type']?.startsWith('application/json')) return JSON.parse(body) as Record<string, string>;
	return Object.fromEntries(new URLSearchParams(body));
}
