import type { ErrorRequestHandler } from 'express';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { codeOf, reasonOf } from '../../local/system-error.ts';
import { isStoreFailing } from '../queue/store.ts';
import type { ServerLog } from '../server-log.ts';

/**
 * Answers what a handler threw: 413 for a body that is too long, 507 while the store cannot be written, else 500 in plain text, as aiohttp answers whatever a
 * handler of ComfyUI throws (also for JSON that is none). The reason stands in the log only.
 */
export function failureMiddleware(log: ServerLog['log']): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    if (codeOf(error) === 'ECONNRESET')
      return log('debug', `${request.method} ${request.path}: the client went away`);
    const status = statusOf(error);
    const expected = isLineageError(error) || status !== 500;
    const reason = expected || !(error instanceof Error) ? reasonOf(error) : (error.stack ?? error.message);
    log(expected ? 'warn' : 'error', `${request.method} ${request.path}: ${reason}`);
    response.status(status).type('text/plain');
    response.send(
      status === 507
        ? `507: Insufficient Storage\n\n${reason.split('\n', 1)[0]}`
        : status === 500
          ? '500 Internal Server Error\n\nServer got itself in trouble'
          : `${status}: ${status === 413 ? 'Request Entity Too Large' : 'Bad Request'}`,
    );
  };
}

/** Of a file or of what was made of its error. */
function isDiskFull(error: unknown): boolean {
  const code = codeOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** express refuses a path that is no UTF-8 with a status of its own. */
function statusOf(error: unknown): number {
  if (isLineageError(error, 'request/too-large')) return 413;
  if (isStoreFailing(error) || isDiskFull(error)) return 507;
  if (isLineageError(error) || !(error instanceof Error) || !('status' in error)) return 500;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
