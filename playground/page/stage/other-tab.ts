// The script of a frame that stands for another tab. The page calls the function that this script adds to the frame's window.
import {openTab} from './tab.ts';

window.openTab = openTab;
