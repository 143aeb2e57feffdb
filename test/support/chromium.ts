import {existsSync} from 'node:fs';
import {type Browser, chromium} from 'playwright';

/** Returns the options for starting the installed Chromium. */
export function chromiumOptions(args: readonly string[] = []): {
	readonly executablePath?: string;
	readonly args: string[];
} {
	const executablePath = [process.env['CHROME_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
		path => path && existsSync(path),
	);
	return {...(executablePath && {executablePath}), args: ['--disable-gpu', '--disable-quic', ...args]};
}

/** Starts the installed Chromium without a window. */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
	return chromium.launch(chromiumOptions(args));
}
