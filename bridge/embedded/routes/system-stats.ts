import { Router } from 'express';
import { ROUTING } from '../http/answer.ts';
import { systemStats } from '../system-stats.ts';
import { answerJson, refuseMethod } from './json-answer.ts';

/** `GET /system_stats`. */
export function systemStatsRoutes(): Router {
  const router = Router(ROUTING);
  router
    .route('/system_stats')
    .get((_request, response) => answerJson(response, JSON.stringify(systemStats())))
    .all(refuseMethod('GET', 'HEAD'));
  return router;
}
