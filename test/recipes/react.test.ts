// @vitest-environment happy-dom
import {act, createElement} from 'react';
import {createRoot} from 'react-dom/client';
import {renderToString} from 'react-dom/server';
import {expect, vi} from 'vitest';
import {expired, signIn} from '../support/scenario.ts';
import {test as base} from '../support/recipe-test.ts';

const test = base
	.extend('recipe', async ({environment}) => {
		environment();
		vi.resetModules();
		return import('../../playground/recipes/react.ts');
	})
	/** Mounts the component. Returns a function that gives the text of the page. */
	.extend('mount', async ({recipe: {SignedIn}}, {onCleanup}) => {
		vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
		const container = document.createElement('div');
		const root = createRoot(container);
		onCleanup(async () => {
			await act(async () => root.unmount());
			vi.unstubAllGlobals();
		});
		return async () => {
			await act(async () => root.render(createElement(SignedIn, {login: 'Sign in'}, 'Hello')));
			return () => container.textContent;
		};
	});

test('a component shows the login as soon as it is known that nobody is signed in', async ({mount}) => {
	const shown = await mount();
	expect(shown()).toBe('Sign in');
});

test('a component follows a sign-in and a sign-out', async ({server, recipe: {auth}, mount}) => {
	const shown = await mount();
	await act(async () => void (await signIn(server, auth)));
	expect(shown()).toBe('Hello');
	await act(() => auth.signOut());
	expect(shown()).toBe('Sign in');
});

test('a component shows the login when the server has ended the session', async ({server, recipe, mount, canaries}) => {
	const {api, auth} = recipe;
	const shown = await mount();
	await act(async () => auth.setToken({...(await server.mint()), ...expired, refresh_token: 'never-issued'}));
	expect(shown()).toBe('Hello');
	await act(async () => void (await canaries.rejection(api.get('me'))));
	expect(shown()).toBe('Sign in');
});

test('a renewal does not render a component again', async ({server, recipe: {auth, useStatus}, mount}) => {
	await mount();
	await act(async () => void (await signIn(server, auth)));
	let renderings = 0;
	const Counter = (): string => {
		renderings++;
		return useStatus();
	};
	const root = createRoot(document.createElement('div'));
	await act(async () => root.render(createElement(Counter)));
	const before = renderings;
	await act(async () => void (await auth.refresh()));
	expect(renderings).toBe(before);
	await act(async () => root.unmount());
});

test('a component that is rendered on a server shows neither login nor data', ({recipe: {SignedIn}}) => {
	expect(renderToString(createElement(SignedIn, {login: 'Sign in'}, 'Hello'))).toBe('');
});
