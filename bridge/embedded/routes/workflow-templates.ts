import { join } from 'node:path';
import express, { Router } from 'express';
import { jsonNamesOf, PACK_NAME } from '../files/pack-folder.ts';
import { answering, ROUTING } from '../http/answer.ts';

/**
 * `GET /workflow_templates`: the names of the example workflows by pack, and below it each workflow and its picture.
 * @see ComfyUI 618b803d app/custom_node_manager.py
 */
export function workflowTemplateRoutes(packRoot: string): Router {
  const folder = join(packRoot, 'example_workflows');
  const router = Router(ROUTING);
  router.get(
    '/workflow_templates',
    answering(async (_request, response) => {
      const names = await jsonNamesOf(folder);
      response.json(names.length === 0 ? {} : { [PACK_NAME]: names });
    }),
  );
  router.use(
    `/workflow_templates/${PACK_NAME}`,
    express.static(folder, { index: false, redirect: false, cacheControl: false }),
  );
  return router;
}
