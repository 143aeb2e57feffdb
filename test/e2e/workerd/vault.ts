// The vault that users export, with additional routes by which a test can break it.
import {TokenVault, type VaultState, type VaultStorage} from '../../../src/stores/cloudflare.ts';

interface ProbedState extends VaultState {
	abort(reason: string): void;
}

/** Answers `https://probe/…` itself. Passes everything else to `TokenVault`. */
export class ProbedVault extends TokenVault {
	readonly #state: ProbedState;
	readonly #faults: {isFailing: boolean};

	constructor(state: ProbedState) {
		const faults = {isFailing: false};
		const failing = <Arguments extends unknown[], T>(work: (...given: Arguments) => Promise<T>) => {
			return async (...given: Arguments): Promise<T> => {
				if (faults.isFailing) throw new Error('The storage fails');
				return work(...given);
			};
		};
		const {storage} = state;
		const probed: VaultStorage = {
			get: failing(name => storage.get(name)),
			put: failing((name, value) => storage.put(name, value)),
			delete: failing(name => storage.delete(name)),
			getAlarm: failing(() => storage.getAlarm()),
			setAlarm: failing(time => storage.setAlarm(time)),
			deleteAlarm: failing(() => storage.deleteAlarm()),
		};
		super({storage: probed});
		this.#state = state;
		this.#faults = faults;
	}

	override async fetch(request: Request): Promise<Response> {
		const {hostname, pathname} = new URL(request.url);
		if (hostname !== 'probe') return super.fetch(request);
		const {storage} = this.#state;
		switch (pathname) {
			// Aborts the object: pending requests get no answer, and everything in the object's memory is lost.
			case '/restart':
				this.#state.abort('restarted by a test');
				break;
			case '/fail':
				this.#faults.isFailing = (await request.text()) === 'true';
				break;
			case '/put':
				for (const [name, value] of Object.entries((await request.json()) as object)) await storage.put(name, value);
				break;
			case '/get':
				return Response.json({
					record: await storage.get('record'),
					lease: await storage.get('lease'),
					alarm: (await storage.getAlarm()) ?? undefined,
				});
		}
		return Response.json(null);
	}
}
