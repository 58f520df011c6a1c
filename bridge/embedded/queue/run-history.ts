import type { DatabaseSync } from 'node:sqlite';
import type { Outcome } from '../job.ts';
import { durationOf, finishedJob } from './job-list.ts';
import { toJsonText } from './json-text.ts';
import type { PromptQueue, QueuedJob } from './prompt-queue.ts';
import { inTransaction } from './store.ts';

/** As many as ComfyUI keeps (618b803d execution.py, MAXIMUM_HISTORY_SIZE); the oldest go first. */
const MAX_ENTRIES = 10_000;

/** An entry as `/history` answers it. */
type HistoryEntry = {
  readonly sequence: number;
  readonly promptId: string;
  /** JSON. */
  readonly entry: string;
};

/** What became of prompts, oldest first. */
export type RunHistory = {
  /** Moves a job from the queue into the history; an entry of the same id is replaced at its place. */
  record(job: QueuedJob, outcome: Outcome): void;
  count(): number;
  /** A page of entries: those behind `after`, without the first `skip` of them. */
  page(after: number, limit: number, skip: number): HistoryEntry[];
  /** An entry, and the job as `/api/jobs` lists it; both JSON. */
  find(promptId: string): { readonly entry: string; readonly job: string } | undefined;
  remove(promptId: string): void;
  clear(): void;
};

/** The history in a database of `openStore`. */
export function createRunHistory(database: DatabaseSync, queue: PromptQueue): RunHistory {
  const statements = {
    put: database.prepare(
      `INSERT INTO history (prompt_id, status, create_time, duration, workflow_id) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (prompt_id) DO UPDATE SET status = excluded.status, create_time = excluded.create_time,
          duration = excluded.duration, workflow_id = excluded.workflow_id RETURNING sequence`,
    ),
    putText: database.prepare('INSERT OR REPLACE INTO history_text VALUES (?, ?, ?)'),
    trim: database.prepare('DELETE FROM history WHERE sequence = (SELECT min(sequence) FROM history)'),
    count: database.prepare('SELECT count(*) AS count FROM history'),
    page: database.prepare(
      `SELECT sequence, prompt_id, entry FROM
        (SELECT sequence, prompt_id FROM history WHERE sequence > ? ORDER BY sequence LIMIT ? OFFSET ?)
        JOIN history_text USING (sequence) ORDER BY sequence`,
    ),
    find: database.prepare(
      'SELECT job, entry FROM history JOIN history_text USING (sequence) WHERE prompt_id = ?',
    ),
    remove: database.prepare('DELETE FROM history WHERE prompt_id = ?'),
    clear: database.prepare('DELETE FROM history'),
  };
  const count = (): number => Number(statements.count.get()?.['count']);
  return {
    record(job, outcome) {
      const entry = toEntry(job, outcome);
      const finished = finishedJob(job, outcome);
      inTransaction(database, () => {
        const put = statements.put.get(
          job.promptId,
          finished.status,
          job.createTime,
          durationOf(finished),
          job.workflowId ?? null,
        );
        statements.putText.run(Number(put?.['sequence']), toJsonText(finished), entry);
        if (count() > MAX_ENTRIES) statements.trim.run();
        queue.remove(job.sequence);
      });
    },
    count,
    page: (after, limit, skip) =>
      statements.page.all(after, limit, skip).map((row) => ({
        sequence: Number(row['sequence']),
        promptId: String(row['prompt_id']),
        entry: String(row['entry']),
      })),
    find(promptId) {
      const row = statements.find.get(promptId);
      return row && { entry: String(row['entry']), job: String(row['job']) };
    },
    remove: (promptId) => void statements.remove.run(promptId),
    clear: () => void statements.clear.run(),
  };
}

/** A queue item as `/queue` and `/history` spell it. */
export function toItemText({ number, promptId, prompt, extraData, outputs }: QueuedJob): string {
  return `[${JSON.stringify(number)},${JSON.stringify(promptId)},${prompt},${extraData},${outputs}]`;
}

function toEntry(job: QueuedJob, { status, outputs, messages, meta }: Outcome): string {
  const completed = status === 'success';
  const told = { status_str: completed ? 'success' : 'error', completed, messages };
  return `{"prompt":${toItemText(job)},"outputs":${toJsonText(outputs)},"status":${toJsonText(told)},"meta":${toJsonText(meta)}}`;
}
