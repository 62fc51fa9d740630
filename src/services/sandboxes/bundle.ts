import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCES = fileURLToPath(new URL('../../', import.meta.url));

export interface RunnerBundle {
  readonly 'runner.mjs': string;
  readonly 'scripted-agent.mjs': string;
}

/**
 * Makes one file each of the two programs that ship into a sandbox (about 20 ms; call it once at the start). They
 * carry no package: what the runner needs of the protocol at run time is constants.
 * @throws Error when a source is missing or broken
 */
export async function bundleRunner(): Promise<RunnerBundle> {
  const { outputFiles } = await build({
    entryPoints: {
      runner: `${SOURCES}runner/main.ts`,
      'scripted-agent': `${SOURCES}agent/scripted-agent.ts`,
    },
    bundle: true,
    write: false,
    outdir: 'out',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  });
  const text = (name: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(`/${name}`) || path.endsWith(`\\${name}`));
    if (!file) throw new Error(`the bundle has no ${name}`);
    return file.text;
  };
  return { 'runner.mjs': text('runner.mjs'), 'scripted-agent.mjs': text('scripted-agent.mjs') };
}
