// Real tabs of Firefox and of WebKit that share one session.
import {afterAll} from 'vitest';
import {openFirefoxTabs, openWebKitTabs} from '../support/other-tabs.ts';
import {tabSpec} from '../support/tab-spec.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

const [firefox, webkit] = await Promise.all([openFirefoxTabs(), openWebKitTabs()]);
afterAll(async () => void (await Promise.all([firefox.close(), webkit.close()])));

tabSpec({name: 'Firefox', open: firefox.open});
tabSpec({name: 'WebKit', open: webkit.open});
