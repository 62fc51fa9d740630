import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { readBlob } from './trees.ts';

/** A file's text (UTF-8) at a ref, by default at the default branch. A folder, a link or a submodule is no file. */
export async function readFile(
  gh: GitHub,
  repo: RepoRef,
  { path, ref }: { readonly path: string; readonly ref?: string },
): Promise<{ readonly kind: 'found'; readonly text: string } | { readonly kind: 'missing' }> {
  const asked = gh.call({ repo, profile: 'reader' }, 'GET /repos/{owner}/{repo}/contents/{path}', {
    path,
    ...(ref === undefined ? {} : { ref }),
  });
  const answer = await orExpected(asked, (error) => (error.kind === 'not_found' ? 'missing' : undefined));
  if (answer === 'missing' || Array.isArray(answer.data)) return { kind: 'missing' };
  const { data } = answer;
  if (data.type !== 'file') return { kind: 'missing' };
  // Over 1 MB there is no content here, only the blob's sha.
  const inline = 'content' in data && 'encoding' in data && data.encoding === 'base64';
  const bytes = inline ? Buffer.from(data.content, 'base64') : await readBlob(gh, repo, data.sha);
  return { kind: 'found', text: bytes.toString('utf8') };
}
