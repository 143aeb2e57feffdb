import type {TestProject} from 'vitest/node';
import type {LabFacts} from '../shared/lab-client.ts';
import {startLab} from './lab.ts';

declare module 'vitest' {
	interface ProvidedContext {
		/** Where the servers are, for tests that run outside of this process. */
		lab: LabFacts;
	}
}

/** Starts the servers for tests that run outside of this process. If a server lost a session, the run fails. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
	const lab = await startLab();
	project.provide('lab', lab.facts);
	return async () => {
		await lab.close();
		lab.verdict();
	};
}
