/**
All that the page says about one trouble. The names in braces are replaced by numbers of the run. If the run did not go as it
should, the page does not use these sentences.
*/
export interface Trouble {
	readonly title: string;
	/** What goes wrong. */
	readonly what: string;
	readonly watch: string;
	readonly button: string;
	/** The verdict of a run that goes as it should. It only reserves the room for the real one. */
	readonly verdict: string;
	/** What happened, and why, in a run that goes as it should. */
	readonly happened: string;
	readonly why: string;
}

/** The troubles, in the order in which the page offers them. */
export const troubles = {
	'two-tabs': {
		title: 'Two tabs',
		what: 'Ann has the app open in two tabs. Both call at the same moment, and both hold the same refresh token.',
		watch: 'one refresh for both tabs.',
		button: 'Call from both tabs',
		verdict: '1 refresh · 40 calls answered · Ann is still signed in',
		happened:
			'Both tabs found the access token expired. {first} refreshed it. {second} waited and used the same new token.',
		why: 'Before a tab refreshes, it takes a lock that all tabs share, and then reads the store once more. So the refresh token is used once.',
	},
	'slow-endpoint': {
		title: 'Slow token endpoint',
		what: 'The token endpoint takes two seconds to answer. Meanwhile the app goes on calling.',
		watch: 'the later calls wait for the same refresh.',
		button: 'Call while it is slow',
		verdict: '1 refresh · 40 calls answered · Ann is still signed in',
		happened:
			'The refresh took {seconds} seconds. {early} calls waited for it, and {late} more joined them. Then all were answered.',
		why: 'While a refresh is under way, every call whose token has expired waits for that refresh. No call starts a second one.',
	},
	unavailable: {
		title: '503',
		what: 'The token endpoint is overloaded and answers 503. A moment later it is well again.',
		watch: 'forty calls fail, but they do not send forty refreshes.',
		button: 'Call during the 503',
		verdict: '2 refreshes, 1 failed · 1 of 43 calls answered · Ann is still signed in',
		happened:
			'While the endpoint answered 503, {failed} calls failed, and they sent {refreshes} in all. The next refresh came {seconds} seconds later and worked.',
		why: 'A 503 says nothing about the refresh token, so regrant keeps Ann’s session. After a failed refresh it waits a moment before it asks again.',
	},
	'lost-answer': {
		title: 'Answer lost',
		what: 'The server replaces the refresh token, but the answer with the new one never arrives.',
		watch: 'this session ends. No client could save it.',
		button: 'Lose the answer',
		verdict: '2 refreshes, 1 refused, 1 failed · Ann is signed out',
		happened:
			'The server replaced the refresh token, and the answer was lost. regrant had only the old one. The server took its second use for theft and ended the session.',
		why: 'No client could have saved this session, because nobody received the new token. regrant tells the app so once, and Ann can sign in again. Servers can help: some accept the old token for a few more seconds.',
	},
	offline: {
		title: 'Offline',
		what: 'Ann’s train enters a tunnel just when the app refreshes.',
		watch: 'calls fail, but nobody is signed out.',
		button: 'Enter the tunnel',
		verdict: '2 refreshes, 1 failed · 1 of 43 calls answered · Ann is still signed in',
		happened:
			'In the tunnel the refresh could not be sent, and {failed} calls failed. Back online, the next refresh worked and the next call was answered.',
		why: 'To lose the network is not to be signed out. The server never saw the refresh token, so regrant keeps it and uses it later.',
	},
	asleep: {
		title: 'Laptop sleeps',
		what: 'Ann closes her laptop during a refresh, and opens it after the deadline of the refresh. To play that, this page stands still for three seconds.',
		watch: 'the answer that arrived during the sleep still counts.',
		button: 'Close the laptop',
		verdict: '1 refresh · 21 calls answered · Ann is still signed in',
		happened:
			'The laptop slept during the refresh and past its deadline. The answer was there when it woke up, and all {answered} calls were answered.',
		why: 'After a sleep regrant reads what has already arrived before it gives up. Otherwise the new refresh token would be lost, and the session with it.',
	},
	'sign-out': {
		title: 'Sign-out in another tab',
		what: 'Ann signs out in another tab during a refresh in this one.',
		watch: 'she is signed out everywhere, and no token survives.',
		button: 'Sign out in the other tab',
		verdict: '1 refresh · 0 calls answered · Ann is signed out',
		happened:
			'This tab learned of the sign-out, and its {failed} calls failed instead of going on as Ann. {revoked} refresh tokens were revoked: hers, and the one that still arrived.',
		why: 'A sign-out wins over a refresh that is under way. The token that arrives too late is given back to the server, so nobody can use it.',
	},
} as const satisfies Readonly<Record<string, Trouble>>;

/** The name of a trouble. */
export type TroubleName = keyof typeof troubles;
