import type {Case, Expected} from './case.ts';
import type {Room, SeenRequest} from './room.ts';
import type {World} from './world.ts';

/** Runs a task while `Object.prototype` has these properties, so that every object inherits them. */
export async function polluted<T>(properties: object, task: () => Promise<T>): Promise<T> {
	const root: object = Object.prototype;
	for (const [name, value] of Object.entries(properties)) {
		Object.defineProperty(root, name, {value, configurable: true, enumerable: true, writable: true});
	}
	try {
		return await task();
	} finally {
		for (const name of Object.keys(properties)) Reflect.deleteProperty(root, name);
	}
}

/** Creates cases of an Auth that is created and used while every object inherits these properties. None of them may be sent. */
export function pollution(
	title: string,
	properties: (room: Room, secret: string) => object,
	call: (world: World) => Promise<unknown>,
	expected: Expected,
): Case {
	return {
		title,
		async act(world) {
			const {room, get, plant} = world;
			const secret = plant('polluted-secret');
			await world.signIn('over');
			const outcome = await polluted(properties(room, secret), async () => get((async () => call(world))()));
			const {token, api} = await room.log();
			const told = [...token, ...api].some(seen => JSON.stringify(seen).includes(secret));
			return [outcome, gistOf(token[0]), gistOf(api[0]), told];
		},
		expected: {grants: 1, session: 'second', events: ['token refresh'], ...expected},
		isAlone: true,
	};
}

const gistOf = (seen: SeenRequest | undefined): string =>
	seen ? `${seen.method} ${[...new URLSearchParams(seen.body).keys()].join()}` : 'none';
