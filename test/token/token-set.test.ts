import {describe, expect} from 'vitest';
import {isSameToken, type TokenSet} from '../../src/token/token-set.ts';
import {test} from '../support/test.ts';

const tokenOf = (access_token: string, refresh_token?: string): TokenSet => ({
	access_token,
	token_type: 'Bearer',
	issued_at: 0,
	...(refresh_token !== undefined && {refresh_token}),
});

describe('two tokens are the same', () => {
	test.for<[title: string, a: TokenSet | undefined, b: TokenSet | undefined, isSame: boolean]>([
		['if both are missing', undefined, undefined, true],
		['if both have the same access token and no refresh token', tokenOf('a'), tokenOf('a'), true],
		['if both have the same access token and refresh token', tokenOf('a', 'r'), tokenOf('a', 'r'), true],
		['whatever else they hold', {...tokenOf('a', 'r'), issued_at: 1, scope: 'x'}, tokenOf('a', 'r'), true],
		['but not if one of them is missing', undefined, tokenOf('a'), false],
		['but not if one of them has a refresh token', tokenOf('a', 'r'), tokenOf('a'), false],
		['but not if their refresh tokens differ', tokenOf('a', 'r'), tokenOf('a', 's'), false],
		['but not if their access tokens differ', tokenOf('a'), tokenOf('b'), false],
		['but not if only their refresh tokens are the same', tokenOf('a', 'r'), tokenOf('b', 'r'), false],
	])('two tokens are the same %s', ([, a, b, isSame]) => {
		expect([isSameToken(a, b), isSameToken(b, a)]).toEqual([isSame, isSame]);
	});
});
