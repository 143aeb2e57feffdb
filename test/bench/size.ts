// `npm run size`: what each entry adds to a bundle, beside its goal, its limit and the neighbours.
import {measureSizes} from './sizes.ts';
import {printSizes} from './report.ts';

printSizes(await measureSizes());
