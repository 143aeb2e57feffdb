import {expect, test} from 'vitest';
import {planRenewal} from '../../src/session/plan.ts';
import type {TokenSource} from '../../src/token/renewer.ts';
import type {TokenSet} from '../../src/token/token-set.ts';

/** The current time, in milliseconds since the epoch. */
const now = 100_000;
const token = (access_token: string, expires_at?: number): TokenSet => ({
	access_token,
	token_type: 'Bearer',
	issued_at: 0,
	...(expires_at !== undefined && {expires_at}),
});
const stale = token('stale', 100);
const other = token('other', 200);
const dead = token('dead', 100);
const endless = token('endless');
const refresh: TokenSource = {cause: 'refresh', refreshToken: 'good'};
const rejected: TokenSource = {cause: 'refresh', refreshToken: 'rejected'};
const grant: TokenSource = {cause: 'grant'};
const isUsable = ({refreshToken}: TokenSource): boolean => refreshToken !== 'rejected';

const use = (found: TokenSet): object => ({type: 'use', token: found});
const send = (source: TokenSource): object => ({type: 'send', source});
const end = {type: 'end'};
const stop = {type: 'stop'};

test.for<
	[title: string, from: TokenSet | undefined, old: TokenSet | undefined, sources: TokenSource[], expected: object]
>([
	['uses the token that another holder has renewed', other, stale, [refresh], use(other)],
	['uses a token that came where there was none', other, undefined, [refresh], use(other)],
	['uses a token whose expiry is not known', endless, stale, [refresh], use(endless)],
	['uses what another holder has renewed, though nothing else is left', other, stale, [], use(other)],
	['renews what another holder has stored, if it expires at this moment', dead, stale, [refresh], send(refresh)],
	['renews the stale token', stale, stale, [refresh], send(refresh)],
	['renews the stale token though it is still good: a server has refused it', other, other, [refresh], send(refresh)],
	['tries the refresh token before the grant', stale, stale, [refresh, grant], send(refresh)],
	['uses the grant if the refresh token was rejected', stale, stale, [rejected, grant], send(grant)],
	['uses the grant if there is no token', undefined, undefined, [grant], send(grant)],
	['uses the grant if the stale token is gone', undefined, stale, [grant], send(grant)],
	['ends the session if every refresh token was rejected', stale, stale, [rejected], end],
	['stops if there is no token and every refresh token was rejected', undefined, undefined, [rejected], stop],
	['stops if there is nothing to renew a token with', stale, stale, [], stop],
	['stops if there is neither a token nor a way to get one', undefined, undefined, [], stop],
])('the plan of a renewal %s', ([, from, old, sources, expected]) => {
	expect(planRenewal(from, old, sources, isUsable, now)).toEqual(expected);
});
