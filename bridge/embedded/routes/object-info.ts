import { Router } from 'express';
import { ROUTING } from '../http/answer.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import { type MenuFiles, objectInfo, objectInfoOf } from '../nodes/object-info.ts';
import { answerJson, refuseMethod } from './json-answer.ts';

/** `GET /object_info` and `/object_info/{class}`. @param listFiles what menus of files list now */
export function objectInfoRoutes(nodes: NodeTable, listFiles: () => Promise<MenuFiles>): Router {
  const router = Router(ROUTING);
  router
    .route('/object_info')
    .get(async (_request, response) => answerJson(response, objectInfo(nodes, await listFiles())))
    .all(refuseMethod('GET', 'HEAD'));
  router
    .route('/object_info/:id')
    .get(async (request, response) => {
      answerJson(response, objectInfoOf(nodes, request.params.id, await listFiles()));
    })
    .all(refuseMethod('GET', 'HEAD'));
  return router;
}
