import { Router } from 'express';
import { ROUTING } from '../http/answer.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import { answerEmpty, isTruthy, readBodyRecord, refuseMethod } from './json-answer.ts';

/** `POST /free`, done between two prompts. There are no models in memory to unload, so only `free_memory` does anything. */
export function freeRoutes(run: Pick<RunQueue, 'freeMemory'>): Router {
  const router = Router(ROUTING);
  router
    .route('/free')
    .post(async (request, response) => {
      const body = await readBodyRecord(request);
      if (isTruthy(body['free_memory'])) run.freeMemory();
      answerEmpty(response);
    })
    .all(refuseMethod('POST'));
  return router;
}
