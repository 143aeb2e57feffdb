import {existsSync} from 'node:fs';
import {type Browser, chromium} from 'playwright';

/** How the Chromium of this machine is started. */
export function chromiumOptions(args: readonly string[] = []): {
	readonly executablePath?: string;
	readonly args: string[];
} {
	const executablePath = [process.env['CHROME_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
		path => path && existsSync(path),
	);
	return {...(executablePath && {executablePath}), args: ['--disable-gpu', '--disable-quic', ...args]};
}

/** Starts the Chromium of this machine, without a window. */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
	return chromium.launch(chromiumOptions(args));
}
