import { Router } from 'express';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { ROUTING } from '../http/answer.ts';
import type { ServerLog } from '../server-log.ts';
import { answerEmpty, answerJson, isTruthy, readBodyRecord, refuseMethod } from './json-answer.ts';

/** What a terminal has without a size of its own. */
const [COLUMNS, ROWS] = [80, 24];

/** `/logs…`, to be mounted below `/internal`: the log as one text, as entries, and as messages to a client. */
export function logRoutes(log: ServerLog): Router {
  const router = Router(ROUTING);
  router
    .route('/logs')
    .get((_request, response) => {
      const text = log.entries().map(({ t, m }) => `${t} - ${m}`);
      answerJson(response, JSON.stringify(text.join('')));
    })
    .all(refuseMethod('GET', 'HEAD'));
  router
    .route('/logs/raw')
    .get((_request, response) => {
      answerJson(response, JSON.stringify({ entries: log.entries(), size: { cols: COLUMNS, rows: ROWS } }));
    })
    .all(refuseMethod('GET', 'HEAD'));
  router
    .route('/logs/subscribe')
    .patch(async (request, response) => {
      const { clientId, enabled } = await readBodyRecord(request);
      if (typeof clientId !== 'string' || enabled === undefined) {
        throw new LineageError('request/malformed', 'expected clientId and enabled');
      }
      if (isTruthy(enabled)) log.subscribe(clientId);
      else log.unsubscribe(clientId);
      answerEmpty(response);
    })
    .all(refuseMethod('PATCH'));
  return router;
}
