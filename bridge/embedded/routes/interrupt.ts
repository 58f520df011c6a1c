import type { IncomingMessage } from 'node:http';
import { Router } from 'express';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { ROUTING } from '../http/answer.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { ServerLog } from '../server-log.ts';
import { answerEmpty, isTruthy, readBodyRecord, refuseMethod } from './json-answer.ts';

/** `POST /interrupt`: whatever runs, or only the prompt of an id; answered in the same way whether anything was stopped. */
export function interruptRoutes(run: Pick<RunQueue, 'interrupt'>, log: ServerLog['log']): Router {
  const router = Router(ROUTING);
  router
    .route('/interrupt')
    .post(async (request, response) => {
      const { prompt_id: id } = await readOptionalBody(request);
      if (!isTruthy(id)) {
        log('info', 'Global interrupt (no prompt_id specified)');
        run.interrupt();
      } else if (typeof id === 'string' && run.interrupt(id)) {
        log('info', `Interrupting prompt ${id}`);
      } else {
        log('info', 'The prompt to interrupt is not running');
      }
      answerEmpty(response);
    })
    .all(refuseMethod('POST'));
  return router;
}

/** Many clients send no body, or something that is no JSON. */
async function readOptionalBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await readBodyRecord(request);
  } catch (error) {
    if (isLineageError(error, 'graph/malformed')) return {};
    throw error;
  }
}
