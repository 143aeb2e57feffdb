// `npm run size`: what each entry adds to a bundle, with its goal and its limit, compared with other libraries.
import {measureSizes} from './sizes.ts';
import {printSizes} from './report.ts';

printSizes(await measureSizes());
