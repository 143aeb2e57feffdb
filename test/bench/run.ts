// `npm run bench`: what regrant costs, compared with other libraries, in one run. Nothing is asserted here, and no test asserts a time. The
// result is stored in result.json, and the README's numbers come from there.
import {writeFileSync} from 'node:fs';
import {arch, cpus, platform, release, totalmem} from 'node:os';
import {measureCalls} from './call.ts';
import {measureLoad} from './load.ts';
import {printCalls, printLoads, printSizes, printTypeChecks} from './report.ts';
import {measureSizes} from './sizes.ts';
import {measureTypeCheck} from './type-check.ts';
import {readVersions} from './versions.ts';

const callEffort = {rounds: 2000, seconds: 60, calls: 20};
const typeCheckEffort = {definitions: 100, rounds: 3};
const loadEffort = {rounds: 9, seconds: 90, calls: 1000};

/** The packages that take part in the measurement: those that are compared with regrant, and the tools. Their versions are stored. */
const packages = [
	'ky',
	'valibot',
	'@badgateway/oauth2-client',
	'oauth4webapi',
	'axios',
	'axios-auth-refresh',
	'@auth0/auth0-spa-js',
	'oidc-client-ts',
	'esbuild',
	'@typescript/native',
];

const machine = {
	cpu: cpus()[0]?.model ?? 'unknown',
	cores: cpus().length,
	memoryGiB: Math.round(totalmem() / 2 ** 30),
	os: `${platform()} ${release()} ${arch()}`,
};
const versions = readVersions(['regrant', ...packages]);

console.log(Object.values(machine).join(', '));
console.log(Object.entries(versions).flat().join(' '));
const sizes = await measureSizes();
printSizes(sizes);
const typeChecks = await measureTypeCheck(typeCheckEffort.definitions, typeCheckEffort.rounds);
printTypeChecks(typeChecks, typeCheckEffort.definitions);
const calls = {get: await measureCalls('get', callEffort), post: await measureCalls('post', callEffort)};
printCalls(calls);
const loads = await measureLoad(loadEffort);
printLoads(loads, loadEffort.calls);

const result = {
	machine,
	versions,
	effort: {calls: callEffort, loads: loadEffort, typeChecks: typeCheckEffort},
	sizes,
	typeChecks,
	calls,
	loads,
};
writeFileSync(new URL('result.json', import.meta.url), `${JSON.stringify(result, null, '\t')}\n`);
