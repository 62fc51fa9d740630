import { readFileSync } from 'node:fs';
import type { SandboxLimits } from '../provider.ts';

const OPEN_FILES = 16_384;
/** V8 reserves address space for code that counts as data, whether it is used or not. */
const RESERVED_MB = 1024;
/** `ulimit -f` counts blocks of 512 bytes. */
const BLOCKS_PER_MB = 2048;

/** The most files this process may let others open. */
export function openFilesLimit(limits = readFileSync('/proc/self/limits', 'utf8')): number {
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? OPEN_FILES);
  return Math.min(OPEN_FILES, hard);
}

/** One file may not outgrow the disk limit, so that little can happen between two looks of the watchdog. */
export function fileBlocks(limits: SandboxLimits): number {
  return limits.diskMb * BLOCKS_PER_MB;
}

/**
 * The `prlimit` prefix for what nothing else bounds. Memory is bounded as data (RLIMIT_DATA): address space
 * must stay free, as JavaScript engines reserve far more of it than they use.
 */
export function prlimitPrefix(
  limits: SandboxLimits,
  bounded: { memory: boolean; processes: boolean; files: boolean },
): string[] {
  const parts = [
    ...(bounded.memory ? [] : [`--data=${(limits.memoryMb + RESERVED_MB) * 1024 * 1024}`]),
    ...(bounded.files ? [] : ['--core=0', `--fsize=${limits.diskMb * 1024 * 1024}`]),
    ...(bounded.processes ? [] : [`--nproc=${limits.processes}`]),
  ];
  return parts.length === 0 ? [] : ['/usr/bin/prlimit', ...parts, '--'];
}
