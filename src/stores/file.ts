import {fileDriver} from './file-driver.ts';
import type {LeaseOptions} from './shared/lease.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {TokenStore} from './token-cell.ts';

export type {LeaseOptions} from './shared/lease.ts';

/**
Keeps the token in a file, for command-line tools and scripts on Node, Deno and Bun. Several processes may use it at once. One of them
at a time refreshes the token, under a lease that ends by itself if the process is killed.

The file is JSON, and only its user can read it (mode 0600; a directory that is created gets 0700). Each write goes to a new file, which
then takes the place of the old one: a process that is killed leaves one or the other, and a process that was stopped for too long
overwrites nothing. While they are needed, `path.lock` holds the lease and `path.tmp` the changes under way.

Use a local disk: locks of files on a network are not reliable. Deno asks for `--allow-read` and `--allow-write` of the directory.

@param path The path of the file, relative to the working directory, or a `file:` URL.
@param options.lease Milliseconds for which a killed process blocks a refresh. Not shorter than the `timeout` of the session. The
default is 15,000.
@throws {ConfigError} if the path or the lease cannot be used. If the file cannot be read or written there, the session says so with a
`StoreError` or a `LockError` that holds the system's code (`EACCES`, `EROFS`): correct the path or the rights.
@example
```ts
import {homedir} from 'node:os';
import {join} from 'node:path';

const auth = createAuth({tokenEndpoint, clientId, store: fileStore(join(homedir(), '.config/my-tool/session.json'))});
```
*/
export function fileStore(path: string | URL, options?: LeaseOptions): TokenStore {
	return sharedStore(fileDriver(path, options));
}
