import { Router } from 'express';
import type { ModelFolders } from '../../local/model-folders.ts';
import { readSafetensorsMetadata } from '../../local/safetensors-header.ts';
import { answering, pathText, queryText, ROUTING, sendNothing } from '../http/answer.ts';

/** ComfyUI's limit for this route; the headers of the largest models met are half of it. */
const HEADER_BYTES_MAX = 1024 * 1024;

/**
 * `GET /view_metadata/{folder}?filename=x.safetensors`: what a model's header says of it. 404 for everything else.
 * @see ComfyUI 618b803d server.py view_metadata
 */
export function viewMetadataRoute(models: ModelFolders): Router {
  const router = Router(ROUTING);
  router.get(
    '/view_metadata/:folder',
    answering(async (request, response) => {
      const filename = queryText(request, 'filename');
      if (!filename?.endsWith('.safetensors')) return sendNothing(response, 404);
      const real = await models.find(pathText(request, 'folder'), filename);
      const metadata = real && (await readSafetensorsMetadata(real, HEADER_BYTES_MAX));
      if (!metadata) return sendNothing(response, 404);
      response.json(metadata);
    }),
  );
  return router;
}
