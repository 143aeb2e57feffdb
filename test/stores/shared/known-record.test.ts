import {expect} from 'vitest';
import {
	afterRead,
	afterWrite,
	compareRecord,
	type KnownRecord,
	type LoginComparison,
	type StoredRecord,
	unread,
} from '../../../src/stores/shared/known-record.ts';
import {test} from '../../support/test.ts';

/** The record of a login, with the marks of its login and client that a shared store adds. */
const record = (access_token: string, login: string): StoredRecord => {
	const token = {access_token, token_type: 'Bearer', refresh_token: `of ${access_token}`, issued_at: 0};
	return {token, raw: {...token, login}, login};
};
const isSameLogin: LoginComparison = (later, earlier, isUnknown) =>
	later.login === earlier.login && (isUnknown || later.login !== undefined);

const nothing: StoredRecord = {token: undefined, raw: undefined, login: undefined};
const [first, second] = [record('first', 'Ann'), record('second', 'Ann')];
const other = record('other', 'Bob');
const synced = afterRead(unread, first);
const renewed = afterWrite(synced, second, true, true);
const unsaved = afterWrite(synced, second, false, true);
const signedOut = afterWrite(synced, nothing, true, false);
const notForgotten = afterWrite(synced, nothing, false, false);
const signedInAfter = afterWrite(signedOut, other, true, false);
const signedInAgain = afterWrite(signedOut, second, true, false);

test.for<readonly [what: string, known: KnownRecord, found: StoredRecord, finding: string]>([
	['the first record that is read', unread, first, 'same'],
	['the record that is known', synced, first, 'same'],
	['a record that another holder has renewed', synced, second, 'changed'],
	['no record where there was one', synced, nothing, 'changed'],
	['what our write replaced, in a store that lags', renewed, first, 'outdated'],
	['what our write was to replace, in a store that did not take it', unsaved, first, 'outdated'],
	['another login with the token that our write replaced [F-144]', renewed, record('first', 'Bob'), 'changed'],
	['what a slow holder has renewed after a sign-out [F-139]', signedOut, second, 'late'],
	['what a sign-out removed, written once more by a holder that asks the store [F-141]', signedOut, first, 'late'],
	['what a sign-out could not remove', notForgotten, first, 'outdated'],
	['what a slow holder has renewed, where a sign-out could not remove it', notForgotten, second, 'late'],
	['another login after a sign-out', signedOut, other, 'changed'],
	['a late record of a login that was signed out, after the next login [F-139]', signedInAfter, second, 'late'],
	['what is known, though its login was signed out before, as of the same user', signedInAgain, second, 'same'],
	['a record without a mark after a sign-out', signedOut, {...first, raw: first.token, login: undefined}, 'changed'],
])('a shared store recognises %s', ([, known, found, finding]) => {
	expect(compareRecord(known, found, isSameLogin)).toBe(finding);
});

test('a record that is written once more as it is stays what is known, whether the store takes it or not [F-141]', () => {
	const again = {token: first.token, raw: {...first.token, login: 'Ann', client: 'app'}, login: 'Ann'};
	expect(afterWrite(renewed, {...again, token: second.token}, true, true)).toEqual({...renewed, raw: again.raw});
	expect(afterWrite(renewed, {...again, token: second.token}, false, true)).toBe(renewed);
	// A token that was only in memory is now stored.
	expect(afterWrite(unsaved, second, true, true)).toEqual({...unsaved, state: 'synced'});
	expect(afterWrite(unsaved, second, false, true)).toBe(unsaved);
});

test('a sign-out before the first read is a write like any other', () => {
	expect(afterWrite(unread, nothing, false, false).state).toBe('unsaved');
	expect(afterWrite(unread, nothing, true, false).state).toBe('synced');
});
