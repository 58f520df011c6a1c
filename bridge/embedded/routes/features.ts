import { Router } from 'express';
import { ROUTING } from '../http/answer.ts';
import { answerJson, refuseMethod } from './json-answer.ts';

/** What the server can do, as clients negotiate it. */
export function serverFeatures(maxUploadBytes: number): Readonly<Record<string, unknown>> {
  return {
    supports_preview_metadata: true,
    max_upload_size: maxUploadBytes,
    extension: { manager: { supports_v4: true } },
  };
}

/** `GET /features`. */
export function featureRoutes(features: Readonly<Record<string, unknown>>): Router {
  const router = Router(ROUTING);
  router
    .route('/features')
    .get((_request, response) => answerJson(response, JSON.stringify(features)))
    .all(refuseMethod('GET', 'HEAD'));
  return router;
}
