import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { JOB_STATUSES, type JobStatus, queuedJob } from './job-list.ts';

/** What `/api/jobs` is asked. */
export type JobQuery = {
  readonly statuses: readonly JobStatus[] | undefined;
  readonly workflowId: string | undefined;
  readonly sortBy: 'created_at' | 'execution_duration';
  readonly order: 'asc' | 'desc';
  readonly limit: number | undefined;
  readonly offset: number;
};

/** A page of jobs, each as JSON, and how many there are in all. */
export type JobPage = { readonly jobs: readonly string[]; readonly total: number };

/** Running, waiting and finished jobs as one table; `place` keeps equal ones in the order that ComfyUI has them in. */
const ALL_JOBS = `
  SELECT iif(running, 0, 1) AS kind, number AS place, sequence, iif(running, 'in_progress', 'pending') AS status,
      create_time, 0 AS duration, workflow_id, prompt_id, number
    FROM queue
  UNION ALL
  SELECT 2, sequence, sequence, status, create_time, duration, workflow_id, prompt_id, 0 FROM history`;

/** Filters, sorts and cuts in the database: a long history costs no memory here. */
export function findJobs(database: DatabaseSync, query: JobQuery): JobPage {
  const statuses = query.statuses ?? JOB_STATUSES;
  const conditions = [`status IN (${statuses.map(() => '?').join()})`];
  const values: SQLInputValue[] = [...statuses];
  if (query.workflowId !== undefined) {
    conditions.push('workflow_id = ?');
    values.push(query.workflowId);
  }
  const where = `FROM (${ALL_JOBS}) WHERE ${conditions.join(' AND ')}`;
  const key = query.sortBy === 'created_at' ? 'create_time' : 'duration';
  const order = `${key} ${query.order === 'desc' ? 'DESC' : 'ASC'}, kind, place, sequence`;
  const total = Number(database.prepare(`SELECT count(*) AS count ${where}`).get(...values)?.['count']);
  const rows = database
    .prepare(`SELECT * ${where} ORDER BY ${order} LIMIT ? OFFSET ?`)
    .all(...values, query.limit ?? -1, query.offset);
  const finished = database.prepare('SELECT job FROM history_text WHERE sequence = ?');
  const toText = (row: Record<string, unknown>): string =>
    row['kind'] === FINISHED ? String(finished.get(Number(row['sequence']))?.['job']) : queuedText(row);
  return { jobs: rows.map(toText), total };
}

/** The `kind` of a job of the history. */
const FINISHED = 2;

function queuedText(row: Record<string, unknown>): string {
  const facts = {
    promptId: String(row['prompt_id']),
    number: Number(row['number']),
    createTime: Number(row['create_time']),
    workflowId: typeof row['workflow_id'] === 'string' ? row['workflow_id'] : undefined,
  };
  return JSON.stringify(queuedJob(facts, row['status'] === 'in_progress' ? 'in_progress' : 'pending'));
}
