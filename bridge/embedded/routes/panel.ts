import { type Request, Router } from 'express';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import type { RuleFiles } from '../../../nodes/kit/rule-files.ts';
import { INPUT_BYTES_MAX } from '../../local/input-folder.ts';
import { readFileChecked } from '../../local/read-file.ts';
import { answerPanel, MAX_POSTED_BYTES, type PanelReach } from '../../panel/panel.ts';
import { findClientFile } from '../files/client-file.ts';
import type { RuntimeFolders } from '../folders.ts';
import { ROUTING } from '../http/answer.ts';
import { limitBytes } from '../http/json-body.ts';

/** Our own part of the front end, to be mounted at `/lineage` and `/api/lineage`: what readers see in saved pictures. */
export function panelRoutes(folders: RuntimeFolders, rules: RuleFiles): Router {
  const router = Router(ROUTING);
  const reach: PanelReach = {
    rules,
    async readSaved(name) {
      try {
        return await readFileChecked((await findClientFile(folders, name)).real, INPUT_BYTES_MAX);
      } catch (error) {
        if (isLineageError(error, 'file/missing')) return undefined;
        throw error;
      }
    },
  };
  router.use(async (request, response, next) => {
    const { method, path } = request;
    if (method !== 'GET' && method !== 'POST') return next();
    // Not by URL, which takes `//x` for a host and may throw.
    const [, search = ''] = request.url.split('?', 2);
    const body = method === 'POST' ? await readPosted(request) : new Uint8Array();
    const answer = await answerPanel(
      { method, path, query: new Map(new URLSearchParams(search)), body },
      reach,
    );
    response.status(answer.status).setHeader('Content-Type', answer.contentType);
    response.end(answer.body);
  });
  return router;
}

async function readPosted(request: Request): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of limitBytes(request, MAX_POSTED_BYTES)) parts.push(part);
  return Buffer.concat(parts);
}
