import { realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a run looks for programs, behind the operator's own folder of agents. */
const FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin'];
/** The part of the machine's own programs that isolated sandboxes see. */
const SHOWN = '/usr';
/** Execute for a file, pass through for a folder, for anybody. */
const FOR_ALL = 0o001;

/** Where npm puts the programs that were installed into a folder. */
export function programFolder(agents: string): string {
  return join(agents, 'node_modules/.bin');
}

/**
 * Whether a run would find a program of this name and may start it. In an isolated sandbox what a link leads to has to
 * be visible, too, and open to a uid that is nobody's on this machine.
 */
export function canRun(name: string, where: { agents: string | null; isolated: boolean }): boolean {
  if (!/^[\w.-]+$/.test(name)) return false;
  const { agents } = where;
  const folders = [...(agents === null ? [] : [programFolder(agents)]), ...FOLDERS];
  const roots = [...(agents === null ? [] : [agents]), SHOWN];
  return folders.some((folder) => {
    const path = targetOf(join(folder, name));
    if (path === null) return false;
    if (!where.isolated) return true;
    const root = roots.find((shown) => path.startsWith(`${shown}/`));
    return root !== undefined && isOpenToAll(path, root);
  });
}

/** The file behind a path, links followed; null where there is none that can be executed. */
function targetOf(path: string): string | null {
  try {
    const target = realpathSync(path);
    const info = statSync(target);
    return info.isFile() && (info.mode & 0o111) !== 0 ? target : null;
  } catch {
    return null;
  }
}

function isOpenToAll(path: string, root: string): boolean {
  if ((statSync(path).mode & FOR_ALL) === 0) return false;
  return path === root || isOpenToAll(dirname(path), root);
}
