import { crashMatrix } from '../harness/crash-suite.ts';

crashMatrix('intake');
