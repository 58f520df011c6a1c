import { Router } from 'express';
import { ROUTING } from '../http/answer.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import { objectInfo, objectInfoOf } from '../nodes/object-info.ts';
import { answerJson, refuseMethod } from './json-answer.ts';

/** `GET /object_info` and `/object_info/{class}`. @param listPictures files of the input folder, for menus */
export function objectInfoRoutes(nodes: NodeTable, listPictures: () => Promise<readonly string[]>): Router {
  const router = Router(ROUTING);
  router
    .route('/object_info')
    .get(async (_request, response) => answerJson(response, objectInfo(nodes, await listPictures())))
    .all(refuseMethod('GET', 'HEAD'));
  router
    .route('/object_info/:id')
    .get(async (request, response) => {
      answerJson(response, objectInfoOf(nodes, request.params.id, await listPictures()));
    })
    .all(refuseMethod('GET', 'HEAD'));
  return router;
}
