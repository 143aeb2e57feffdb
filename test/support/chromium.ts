import {existsSync} from 'node:fs';
import {type Browser, chromium} from 'playwright';

/** Starts the Chromium of this machine, without a window. */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
	const executablePath = [process.env['CHROME_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
		path => path && existsSync(path),
	);
	return chromium.launch({...(executablePath && {executablePath}), args: ['--disable-gpu', '--disable-quic', ...args]});
}
