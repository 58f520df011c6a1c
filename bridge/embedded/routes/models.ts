import { Router } from 'express';
import type { ModelFolders } from '../../local/model-folders.ts';
import { answering, pathText, ROUTING, sendNothing } from '../http/answer.ts';

/**
 * `GET /models` names the model folders, `GET /models/{folder}` the files of one, `GET /embeddings` the embeddings
 * as prompts spell them, without extension.
 * @see ComfyUI 618b803d server.py list_model_types, get_models, get_embeddings
 */
export function modelsRoutes(models: ModelFolders): Router {
  const router = Router(ROUTING);
  router.get('/models', (_request, response) => {
    response.json(models.names);
  });
  router.get(
    '/models/:folder',
    answering(async (request, response) => {
      const folder = pathText(request, 'folder');
      if (models.pathsOf(folder) === undefined) return sendNothing(response, 404);
      response.json(await namesIn(models, folder));
    }),
  );
  router.get(
    '/embeddings',
    answering(async (_request, response) => {
      const names = await namesIn(models, 'embeddings');
      response.json(names.map((name) => name.replace(/\.[^./]*$/, '')));
    }),
  );
  return router;
}

/** Each name once, sorted: of two files the first path's is meant. */
export async function namesIn(models: ModelFolders, folder: string): Promise<readonly string[]> {
  return [...new Set((await models.list(folder)).map(({ name }) => name))].sort();
}
