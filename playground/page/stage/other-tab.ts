// The script of a frame that stands for another tab. The page calls what this puts on the window of the frame.
import {openTab} from './tab.ts';

window.openTab = openTab;
