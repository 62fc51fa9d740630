// Jest runs the sources as Node does: types are blanked out in place, so positions stay true and no source maps are needed.
import { createHash } from 'node:crypto';
import { stripTypeScriptTypes } from 'node:module';

const run = (source) => ({ code: stripTypeScriptTypes(source) });

export default {
  process: run,
  processAsync: async (source) => run(source),
  getCacheKey: (source, path, options) =>
    createHash('sha256')
      .update(source)
      .update(path)
      .update(process.version)
      .update(options.configString ?? '')
      .digest('hex')
      .slice(0, 32),
};
