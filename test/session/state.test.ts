import {expect, test} from 'vitest';
import {type SessionAction, type SessionState, transition} from '../../src/session/state.ts';

const token = {access_token: 'at', token_type: 'Bearer', issued_at: 0, expires_at: 60};
type Status = SessionState['status'];
const statuses: readonly Status[] = ['unknown', 'none', 'active', 'ended'];

/** Whether running work continues, belongs to a login that is over, or belongs to a login that was signed out. */
type Work = 'goes on' | 'is over' | 'is over and late tokens are revoked';

/**
An action, the status that follows, the event, and what happens to running work. `exceptions` holds other events, by the status before.
*/
type Row = readonly [
	title: string,
	action: SessionAction,
	next: Status | 'the same',
	told: string | undefined,
	work: Work,
	exceptions?: Readonly<Partial<Record<Status, string | undefined>>>,
];

const rows: readonly Row[] = [
	['the first read, of a token', {type: 'read', token}, 'active', undefined, 'goes on'],
	['the first read, of an empty store', {type: 'read', token: undefined}, 'none', undefined, 'goes on'],
	['a login', {type: 'login'}, 'active', undefined, 'is over'],
	['a token that was set', {type: 'stored', cause: 'set', token}, 'active', 'token set 60', 'goes on'],
	['a token of a refresh', {type: 'stored', cause: 'refresh', token}, 'active', 'token refresh 60', 'goes on'],
	['a token of a grant', {type: 'stored', cause: 'grant', token}, 'active', 'token grant 60', 'goes on'],
	[
		'a token that another holder has renewed',
		{type: 'changed', token, isSameLogin: true},
		'active',
		'token store 60',
		'goes on',
	],
	['a login elsewhere', {type: 'changed', token, isSameLogin: false}, 'active', 'token store 60', 'is over'],
	[
		'a sign-out elsewhere',
		{type: 'changed', token: undefined, isSameLogin: false},
		'ended',
		'session-ended signed_out',
		'is over and late tokens are revoked',
	],
	[
		'a rejected refresh token',
		{type: 'ended', reason: 'invalid_grant'},
		'ended',
		'session-ended invalid_grant',
		'is over',
		// A session ends only once.
		{ended: undefined},
	],
	[
		'a dead token that nothing can renew',
		{type: 'ended', reason: 'no_refresh_token'},
		'ended',
		'session-ended no_refresh_token',
		'is over',
		{ended: undefined},
	],
	['a sign-out', {type: 'signed-out'}, 'ended', undefined, 'is over and late tokens are revoked'],
	['a removed token', {type: 'removed', token}, 'the same', 'session-ended signed_out', 'goes on'],
	['a sign-out that found nothing', {type: 'removed', token: undefined}, 'the same', undefined, 'goes on'],
];

const table = statuses.flatMap(status => rows.map(row => ({status, title: row[0], row})));

test.for(table)('a session that is $status, after $title', ({status, row}) => {
	const [, action, next, told, work, exceptions = {}] = row;
	const {state, event} = transition({status, login: 7, signOuts: 3}, action);
	// A session ends once. The next token belongs to another login [F-140].
	const isOver = work !== 'goes on' && !(status === 'ended' && action.type === 'ended');
	expect(state).toEqual({
		...(action.type === 'signed-out' && {isUntold: status === 'active'}),
		...(action.type === 'removed' && {isUntold: false}),
		status: next === 'the same' ? status : next,
		login: isOver ? 8 : 7,
		signOuts: work === 'is over and late tokens are revoked' ? 4 : 3,
	});
	const words = event && Object.values(event).join(' ');
	expect(words).toBe(status in exceptions ? exceptions[status] : told);
});
