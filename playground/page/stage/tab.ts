import {isSignedIn, type Outcomes, send} from '../calls.ts';
import {createLane, type Lane} from '../lane.ts';
import type {LaneName, Report} from '../report.ts';
import {openSession, type Place} from '../session.ts';
import type {Login} from '../sign-in.ts';
import {openStore, sharedStore} from '../stores.ts';

/** Milliseconds by which each request is delayed, so that people can see what waits for what. */
const latency = 150;

declare global {
	interface Window {
		/** Opens the app in the frame whose window this is. */
		openTab?: typeof openTab;
	}
}

/** A tab in which Ann has the app open. */
export interface Tab {
	readonly who: string;
	/** Begins a session with what a login gave. */
	start(login: Login): Promise<void>;
	/** Signs Ann out, in this tab. */
	signOut(): Promise<void>;
	/** Sends calls at once and waits for all of them. */
	send(count: number): Promise<Outcomes>;
	/** Makes one more call. Its answer shows whether Ann is still signed in. */
	isSignedIn(): Promise<boolean>;
	setOffline(isOffline: boolean): void;
	close(): void;
}

/** How a tab is opened. */
export interface TabOptions {
	readonly place: Place;
	/** The lane that draws it. */
	readonly lane: LaneName;
	readonly who: string;
	/** The name of the store that the tabs of one run share. */
	readonly session: string;
	/** The deadline of one token request, in milliseconds. Default: that of `createAuth`. */
	readonly timeout?: number;
	readonly report: (report: Report) => void;
}

/** Opens the app. In another frame it is another tab: that frame has its own `createAuth`, and shares nothing but the store. */
export function openTab({place, lane: name, who, session, timeout, report}: TabOptions): Tab {
	const lane: Lane = createLane(name, who, report, {latency});
	const {auth, api, close} = openSession(place, lane, {
		store: openStore(sharedStore, session),
		...(timeout !== undefined && {timeout}),
	});
	return {
		who,
		start: login => auth.setToken(login),
		signOut: () => auth.signOut(),
		send: count => send(api, lane, count),
		isSignedIn: () => isSignedIn(api),
		setOffline: lane.setOffline,
		close,
	};
}
