import { Router } from 'express';
import { ROUTING } from '../http/answer.ts';
import type { PromptQueue, QueuedJob } from '../queue/prompt-queue.ts';
import { toItemText } from '../queue/run-history.ts';
import { answerEmpty, isTruthy, readBodyRecord, refuseMethod, streamJson } from './json-answer.ts';
import { readIds } from './read-ids.ts';

/** Prompts read at once: some of them hold whole pictures. */
const PAGE = 16;

/** `GET` and `POST /queue`. @param changed called when prompts were taken out */
export function queueRoutes(queue: PromptQueue, changed: () => void): Router {
  const router = Router(ROUTING);
  router
    .route('/queue')
    .get(async (_request, response) => {
      await streamJson(response, piecesOf(queue));
    })
    .post(async (request, response) => {
      const body = await readBodyRecord(request);
      if (isTruthy(body['clear'])) {
        queue.clear();
        changed();
      }
      for (const id of readIds(body['delete'])) {
        if (queue.cancel(id)) changed();
      }
      answerEmpty(response);
    })
    .all(refuseMethod('GET', 'HEAD', 'POST'));
  return router;
}

function* piecesOf(queue: PromptQueue): Generator<string> {
  yield `{"queue_running":[${queue.running().map(toItemText).join()}],"queue_pending":[`;
  let separator = '';
  let last: QueuedJob | undefined;
  do {
    const page = queue.waiting(last, PAGE);
    last = page.at(-1);
    if (last) yield separator + page.map(toItemText).join();
    separator = ',';
  } while (last);
  yield ']}';
}
