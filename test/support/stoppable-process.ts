// Run by Node, Deno and Bun: refreshes twice and prints the outcomes. The test stops this process during the first refresh.
import process from 'node:process';
import {createAuth, memoryStore} from '../../src/index.ts';

const {token, timeout, ...client} = JSON.parse(process.argv[2] ?? '');
const auth = createAuth({...client, timeout, store: memoryStore()});
await auth.setToken(token);
const outcomes: string[] = [];
for (let count = 0; count < 2; count++) {
	outcomes.push(
		await auth.refresh().then(
			() => 'renewed',
			(error: unknown) => String(error),
		),
	);
}
process.stdout.write(`OUTCOMES ${JSON.stringify(outcomes)}\n`);
