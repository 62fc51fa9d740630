import type { AgentDriver } from './driver.ts';
import { scriptedDriver } from './scripted.ts';

/** Every agent this build can drive, by the name that a step carries. */
export const drivers: Readonly<Record<string, AgentDriver>> = {
  [scriptedDriver.name]: scriptedDriver,
};
