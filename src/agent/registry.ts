import { claudeDriver } from './claude.ts';
import { codexDriver } from './codex.ts';
import { commandDriver } from './command.ts';
import type { AgentDriver } from './driver.ts';
import { scriptedDriver } from './scripted.ts';

/** Every agent this build can drive, by the name that a step carries. */
export const drivers: Readonly<Record<string, AgentDriver>> = {
  [claudeDriver.name]: claudeDriver,
  [codexDriver.name]: codexDriver,
  [commandDriver.name]: commandDriver,
  [scriptedDriver.name]: scriptedDriver,
};
