import type { DatabaseSync } from 'node:sqlite';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { Job } from '../job.ts';
import { toJsonText } from './json-text.ts';
import type { StoredJob } from './read-stored-job.ts';
import { inTransaction } from './store.ts';

/** A job in the queue; `sequence` tells two of one id apart. */
export type QueuedJob = StoredJob & {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly createTime: number;
  readonly workflowId: string | undefined;
};

/** Where a page of the queue ended. */
type Place = Pick<QueuedJob, 'number' | 'sequence'>;

/** Prompts that wait, in the order of their numbers, then of their arrival; and the one that runs. */
export type PromptQueue = {
  /** Puts a job at its place. `extraData` is stored as it is: take secrets out before. */
  put(job: Job): void;
  /** Takes the next job: it counts as running until it is removed. */
  take(): QueuedJob | undefined;
  /** Forgets a job that ran. */
  remove(sequence: number): void;
  /** How many wait or run: ComfyUI's `queue_remaining`. */
  remaining(): number;
  /** Jobs marked as running; more than one only where an earlier process died. */
  running(): QueuedJob[];
  /** A page of those that wait, behind `after`. */
  waiting(after: Place | undefined, limit: number): QueuedJob[];
  /** The queued job of an id, and whether it runs. */
  find(promptId: string): { readonly job: QueuedJob; readonly running: boolean } | undefined;
  /** Takes the first waiting job of an id out. @returns whether there was one */
  cancel(promptId: string): boolean;
  /** Takes all waiting jobs out. */
  clear(): void;
};

const ROWS =
  'SELECT sequence, number, prompt_id, running, create_time, workflow_id, prompt, extra_data, outputs FROM queue JOIN queue_text USING (sequence)';

/** The queue in a database of `openStore`. Each call is one short statement or two. */
export function createPromptQueue(database: DatabaseSync): PromptQueue {
  const statements = {
    put: database.prepare(
      'INSERT INTO queue (number, prompt_id, create_time, workflow_id) VALUES (?, ?, ?, ?)',
    ),
    putText: database.prepare('INSERT INTO queue_text VALUES (?, ?, ?, ?)'),
    take: database.prepare(
      `UPDATE queue SET running = 1 WHERE sequence =
        (SELECT sequence FROM queue WHERE running = 0 ORDER BY number, sequence LIMIT 1) RETURNING sequence`,
    ),
    read: database.prepare(`${ROWS} WHERE sequence = ?`),
    remove: database.prepare('DELETE FROM queue WHERE sequence = ?'),
    count: database.prepare('SELECT count(*) AS count FROM queue'),
    running: database.prepare(`${ROWS} WHERE running = 1 ORDER BY number, sequence`),
    waiting: database.prepare(
      `${ROWS} WHERE running = 0 AND (number, sequence) > (?, ?) ORDER BY number, sequence LIMIT ?`,
    ),
    find: database.prepare(`${ROWS} WHERE prompt_id = ? ORDER BY running DESC, number, sequence LIMIT 1`),
    cancel: database.prepare(
      `DELETE FROM queue WHERE sequence =
        (SELECT sequence FROM queue WHERE running = 0 AND prompt_id = ? ORDER BY number, sequence LIMIT 1)`,
    ),
    clear: database.prepare('DELETE FROM queue WHERE running = 0'),
  };
  // Asked for with every message; counting rows each time would make a long queue slow.
  let remaining = Number(statements.count.get()?.['count']);

  return {
    put({ number, promptId, prompt, extraData, outputs }) {
      const { createTime, workflowId } = factsOf(extraData);
      const texts = [toJsonText(prompt), toJsonText(extraData), toJsonText(outputs)] as const;
      inTransaction(database, () => {
        const { lastInsertRowid } = statements.put.run(number, promptId, createTime, workflowId ?? null);
        statements.putText.run(lastInsertRowid, ...texts);
      });
      remaining++;
    },
    take() {
      const next = statements.take.get()?.['sequence'];
      return next === undefined ? undefined : readRow(statements.read.get(next));
    },
    remove(sequence) {
      remaining -= Number(statements.remove.run(sequence).changes);
    },
    remaining: () => remaining,
    running: () => statements.running.all().flatMap((row) => readRow(row) ?? []),
    waiting: (after, limit) =>
      statements.waiting
        .all(after?.number ?? -Number.MAX_VALUE, after?.sequence ?? -1, limit)
        .flatMap((row) => readRow(row) ?? []),
    find(promptId) {
      const row = statements.find.get(promptId);
      const job = readRow(row);
      return job && { job, running: row?.['running'] === 1 };
    },
    cancel(promptId) {
      const { changes } = statements.cancel.run(promptId);
      remaining -= Number(changes);
      return changes > 0;
    },
    clear() {
      remaining -= Number(statements.clear.run().changes);
    },
  };
}

/** What lists are sorted and filtered by. A workflow id that is no text is none: clients take nothing else. */
function factsOf(extraData: Job['extraData']): {
  readonly createTime: number;
  readonly workflowId: string | undefined;
} {
  const createTime = extraData['create_time'];
  const pnginfo = extraData['extra_pnginfo'];
  const workflow = isRecord(pnginfo) ? pnginfo['workflow'] : undefined;
  const id = isRecord(workflow) ? workflow['id'] : undefined;
  return {
    createTime: typeof createTime === 'number' && Number.isSafeInteger(createTime) ? createTime : 0,
    workflowId: typeof id === 'string' ? id : undefined,
  };
}

function readRow(row: Record<string, unknown> | undefined): QueuedJob | undefined {
  if (row === undefined) return undefined;
  return {
    sequence: Number(row['sequence']),
    number: Number(row['number']),
    promptId: String(row['prompt_id']),
    createTime: Number(row['create_time']),
    workflowId: typeof row['workflow_id'] === 'string' ? row['workflow_id'] : undefined,
    prompt: String(row['prompt']),
    extraData: String(row['extra_data']),
    outputs: String(row['outputs']),
  };
}
