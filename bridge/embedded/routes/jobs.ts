import type { DatabaseSync } from 'node:sqlite';
import { type Request, Router } from 'express';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { ROUTING } from '../http/answer.ts';
import { readJsonBody } from '../http/json-body.ts';
import { findJobs, type JobQuery } from '../queue/find-jobs.ts';
import { isPromptId } from '../queue/is-prompt-id.ts';
import { JOB_STATUSES, type JobStatus, normalizeOutputs, queuedJob } from '../queue/job-list.ts';
import { toJsonText } from '../queue/json-text.ts';
import type { PromptQueue } from '../queue/prompt-queue.ts';
import type { RunHistory } from '../queue/run-history.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import { pythonInt } from '../validation/python-int.ts';
import { answerJson, refuseMethod } from './json-answer.ts';

/** What the jobs API works on. */
type Jobs = {
  readonly database: DatabaseSync;
  readonly queue: PromptQueue;
  readonly history: RunHistory;
  readonly run: Pick<RunQueue, 'interrupt'>;
  /** Called when a waiting job was taken out. */
  readonly changed: () => void;
};

/** `/jobs…`, to be mounted below `/api` only. The cancel routes are those of ComfyUI 0.26 and later. */
export function jobRoutes(jobs: Jobs): Router {
  const router = Router(ROUTING);
  const cancel = (id: string): boolean => {
    if (jobs.run.interrupt(id)) return true;
    const found = jobs.queue.cancel(id);
    if (found) jobs.changed();
    return found;
  };

  router
    .route('/jobs')
    .get((request, response) => {
      const query = readQuery(request);
      if (typeof query === 'string') return answerJson(response, JSON.stringify({ error: query }), 400);
      const page = findJobs(jobs.database, query);
      const { limit = null, offset } = query;
      const has_more = offset + page.jobs.length < page.total;
      const pagination = JSON.stringify({ offset, limit, total: page.total, has_more });
      answerJson(response, `{"jobs":[${page.jobs.join()}],"pagination":${pagination}}`);
    })
    .all(refuseMethod('GET', 'HEAD'));

  router.post('/jobs/cancel', async (request, response) => {
    let body: unknown;
    try {
      body = await readJsonBody(request);
    } catch (error) {
      if (!isLineageError(error) || error.code === 'request/too-large') throw error;
      return answerJson(response, '{"error":"Request body must be valid JSON"}', 400);
    }
    const ids = isRecord(body) ? body['job_ids'] : undefined;
    if (!Array.isArray(ids)) return answerJson(response, '{"error":"job_ids must be a list"}', 400);
    const malformed = ids.filter((id) => !isPromptId(id));
    if (malformed.length > 0) {
      const invalid_ids = malformed.map((id) => (typeof id === 'string' ? id : toJsonText(id)));
      const answer = { error: 'job_ids contains invalid id(s)', invalid_ids };
      return answerJson(response, JSON.stringify(answer), 400);
    }
    const cancelled = ids.filter((id) => typeof id === 'string' && cancel(id)).length > 0;
    answerJson(response, JSON.stringify({ cancelled }));
  });

  router
    .route('/jobs/:id')
    .get((request, response) => {
      const text = detailsOf(request.params.id, jobs);
      if (text === undefined) answerJson(response, '{"error":"Job not found"}', 404);
      else answerJson(response, text);
    })
    .all(refuseMethod('GET', 'HEAD'));

  router
    .route('/jobs/:id/cancel')
    .post((request, response) => {
      answerJson(response, JSON.stringify({ cancelled: cancel(request.params.id) }));
    })
    .all(refuseMethod('POST'));
  return router;
}

/** The query, or what is wrong with it in the words of ComfyUI 618b803d server.py get_jobs. */
function readQuery(request: Request): JobQuery | string {
  const read = (name: string): string | undefined => {
    const value = request.query[name];
    return value === undefined ? undefined : String(Array.isArray(value) ? value[0] : value);
  };
  const asked = read('status')
    ?.split(',')
    .map((status) => status.trim().toLowerCase())
    .filter((status) => status !== '');
  const unknown = asked?.filter((status) => !isJobStatus(status)) ?? [];
  if (unknown.length > 0) {
    return `Invalid status value(s): ${unknown.join(', ')}. Valid values: ${JOB_STATUSES.join(', ')}`;
  }
  const sortBy = (read('sort_by') ?? 'created_at').toLowerCase();
  if (sortBy !== 'created_at' && sortBy !== 'execution_duration') {
    return "sort_by must be 'created_at' or 'execution_duration'";
  }
  const order = (read('sort_order') ?? 'desc').toLowerCase();
  if (order !== 'asc' && order !== 'desc') return "sort_order must be 'asc' or 'desc'";
  const limitText = read('limit');
  const limit = limitText === undefined ? undefined : pythonInt(limitText);
  if (limitText !== undefined && limit === undefined) return 'limit must be an integer';
  if (limit !== undefined && limit <= 0) return 'limit must be a positive integer';
  const offset = pythonInt(read('offset') ?? '0');
  if (offset === undefined) return 'offset must be an integer';
  return {
    // An empty parameter asks for nothing in particular, one of commas for no status at all.
    statuses: read('status') ? asked?.filter(isJobStatus) : undefined,
    workflowId: read('workflow_id') || undefined,
    sortBy,
    order,
    limit,
    offset: Math.max(0, offset),
  };
}

function isJobStatus(text: string): text is JobStatus {
  return JOB_STATUSES.some((status) => status === text);
}

/** One job with its graph, and what it put out where it has run. */
function detailsOf(id: string, { queue, history }: Jobs): string | undefined {
  const finished = history.find(id);
  if (finished) return withOutputs(finished.job, finished.entry);
  const found = queue.find(id);
  if (!found) return undefined;
  const { job, running } = found;
  const summary = JSON.stringify(queuedJob(job, running ? 'in_progress' : 'pending'));
  return `${summary.slice(0, -1)},"workflow":{"prompt":${job.prompt},"extra_data":${job.extraData}}}`;
}

function withOutputs(job: string, entry: string): string {
  const read = parseExactJson(entry, () => undefined);
  const { prompt: item, outputs, status } = isRecord(read) ? read : {};
  const [, , prompt, extra_data]: readonly unknown[] = Array.isArray(item) ? item : [];
  const more = {
    outputs: normalizeOutputs(isRecord(outputs) ? outputs : {}),
    execution_status: status,
    workflow: { prompt, extra_data },
  };
  return `${job.slice(0, -1)},${toJsonText(more).slice(1)}`;
}
