import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { GitBackend } from '../backend.ts';
import { sandboxOf } from '../identity.ts';
import { refuse } from '../refuse.ts';
import type { GitCall } from './call.ts';
import { advertise, fetchPack } from './fetch.ts';
import { receivePack } from './push.ts';
import { createUpstream } from './upstream.ts';

type Verb = (call: GitCall) => Promise<FastifyReply>;
interface Named {
  Params: { owner: string; repository: string };
}

/**
 * Git smart HTTP for the sandbox's own repository: fetch as it is, push under `judgePush`. The host's token is added
 * on this side and bodies are streamed. Everything else is refused with a text that git shows.
 */
export function gitRoutes(backend: GitBackend, settings: { packBytes: number }): FastifyPluginAsync {
  return async (app) => {
    const upstream = createUpstream();
    app.addHook('onClose', async () => upstream.close());
    app.removeAllContentTypeParsers();
    // A pack is streamed, never held: the handlers read the raw request.
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));

    const serve = (verb: Verb) => async (request: FastifyRequest<Named>, reply: FastifyReply) => {
      const target = await backend.repositoryFor(sandboxOf(request));
      const { owner, repository } = request.params;
      // The host treats names without regard to case, so an agent's spelling may differ.
      if (`${owner}/${repository}`.toLowerCase() !== `${target.fullName}.git`.toLowerCase()) {
        return refuse(request, reply, 'other_repository');
      }
      return verb({ request, reply, backend, target, upstream, packBytes: settings.packBytes });
    };
    app.get<Named>('/:owner/:repository/info/refs', { exposeHeadRoute: false }, serve(advertise));
    app.post<Named>('/:owner/:repository/git-upload-pack', serve(fetchPack));
    app.post<Named>('/:owner/:repository/git-receive-pack', serve(receivePack));
    app.setNotFoundHandler((request, reply) => refuse(request, reply, 'no_git_service'));
  };
}
