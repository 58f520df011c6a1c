import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { Outcome } from '../job.ts';

/** What `/api/jobs` takes as a status and answers. ComfyUI 0.8 lacks the last. */
export const JOB_STATUSES = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
/** One of `JOB_STATUSES`. */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** What is known of a job beside its graph. */
type JobFacts = {
  readonly promptId: string;
  readonly number: number;
  readonly createTime: number;
  readonly workflowId: string | undefined;
};

/** A job as `/api/jobs` lists it; times in milliseconds since 1970. */
export type JobSummary = {
  readonly id: string;
  readonly status: JobStatus;
  readonly priority: number;
  readonly create_time: number;
  readonly execution_start_time?: number;
  readonly execution_end_time?: number;
  /** The data of `execution_error`. */
  readonly execution_error?: Readonly<Record<string, unknown>>;
  readonly outputs_count: number;
  readonly previewable_outputs_count: number;
  readonly preview_output?: Readonly<Record<string, unknown>>;
  readonly workflow_id?: string;
};

const PREVIEWABLE_MEDIA: ReadonlySet<string> = new Set(['images', 'video', 'audio', '3d', 'text']);
const SPATIAL_FILE = /\.(?:obj|fbx|gltf|glb|usdz)$/i;
const TEXT_FILE = /\.(?:txt|md|json)$/i;
/** A longer text is cut in a list of jobs. */
const MAX_TEXT_PREVIEW = 1024;

/** A job that waits or runs. */
export function queuedJob(facts: JobFacts, status: 'pending' | 'in_progress'): JobSummary {
  return { ...start(facts, status), outputs_count: 0, previewable_outputs_count: 0, ...workflowOf(facts) };
}

/** A job that ran; one that was interrupted is `cancelled`. ComfyUI ≥ 0.26 comfy_execution/jobs.py. */
export function finishedJob(facts: JobFacts, { status, messages, outputs }: Outcome): JobSummary {
  let [started, ended]: (number | undefined)[] = [];
  let failure: Readonly<Record<string, unknown>> | undefined;
  for (const [event, data] of messages) {
    const timestamp = typeof data['timestamp'] === 'number' ? data['timestamp'] : undefined;
    if (event === 'execution_start') started = timestamp;
    else if (/^execution_(?:success|error|interrupted)$/.test(event)) ended = timestamp;
    if (event === 'execution_error') failure = data;
  }
  const { count, previewable, preview } = summarizeOutputs(outputs);
  return {
    ...start(facts, STATUS_OF[status]),
    ...(started !== undefined && { execution_start_time: started }),
    ...(ended !== undefined && { execution_end_time: ended }),
    ...(failure !== undefined && { execution_error: failure }),
    outputs_count: count,
    previewable_outputs_count: previewable,
    ...(preview !== undefined && { preview_output: preview }),
    ...workflowOf(facts),
  };
}

/** What jobs are sorted by as `execution_duration`: milliseconds, 0 where one end is not known. */
export function durationOf({ execution_start_time: started, execution_end_time: ended }: JobSummary): number {
  return started && ended ? ended - started : 0;
}

/** Outputs as the details of a job show them: names of 3D files become files, null goes. */
export function normalizeOutputs(outputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return mapValues(outputs, (node) =>
    isRecord(node)
      ? mapValues(node, (items, media) =>
          media === 'animated' || !Array.isArray(items)
            ? items
            : items.filter((item) => item !== null).map((item) => toOutputItem(item) ?? item),
        )
      : node,
  );
}

/**
 * Counts the outputs, and chooses the one that stands for the job: a picture, sound or 3D file that was kept; else
 * any of these; else a text file; else the first text. Texts themselves do not count.
 */
export function summarizeOutputs(outputs: Readonly<Record<string, unknown>>): {
  readonly count: number;
  readonly previewable: number;
  readonly preview: Readonly<Record<string, unknown>> | undefined;
} {
  let [count, previewable] = [0, 0];
  let [kept, shown, textFile, text]: (Readonly<Record<string, unknown>> | undefined)[] = [];
  for (const { nodeId, media, item: raw } of itemsOf(outputs)) {
    const item = toOutputItem(raw);
    if (item === undefined) {
      if (media === 'text' && raw !== null) {
        text ??= { ...toTextPreview(String(raw)), nodeId, mediaType: media };
      }
      continue;
    }
    count++;
    if (!isPreviewable(media, item)) continue;
    previewable++;
    const preview = { ...item, nodeId, mediaType: item['mediaType'] ?? media };
    if (media === 'text' || TEXT_FILE.test(nameOf(item))) textFile ??= preview;
    else if (item['type'] === 'output') kept ??= preview;
    else shown ??= preview;
  }
  return { count, previewable, preview: kept ?? shown ?? textFile ?? text };
}

/** Whether a client can show an output: by its kind, its MIME type or its name. */
export function isPreviewable(media: string, item: Readonly<Record<string, unknown>>): boolean {
  if (PREVIEWABLE_MEDIA.has(media)) return true;
  const format = item['format'];
  if (typeof format === 'string' && /^(?:video|audio)\//.test(format)) return true;
  return SPATIAL_FILE.test(nameOf(item)) || TEXT_FILE.test(nameOf(item));
}

const STATUS_OF = { success: 'completed', error: 'failed', interrupted: 'cancelled' } as const;

function start({ promptId, number, createTime }: JobFacts, status: JobStatus) {
  return { id: promptId, status, priority: number, create_time: createTime };
}

function workflowOf({ workflowId }: JobFacts): { readonly workflow_id?: string } {
  return workflowId === undefined ? {} : { workflow_id: workflowId };
}

function* itemsOf(outputs: Readonly<Record<string, unknown>>) {
  for (const [nodeId, node] of Object.entries(outputs)) {
    if (!isRecord(node)) continue;
    for (const [media, items] of Object.entries(node)) {
      if (media === 'animated' || !Array.isArray(items)) continue;
      for (const item of items) yield { nodeId, media, item: item as unknown };
    }
  }
}

function toOutputItem(item: unknown): Readonly<Record<string, unknown>> | undefined {
  if (isRecord(item)) return item;
  if (typeof item !== 'string' || !SPATIAL_FILE.test(item)) return undefined;
  return { filename: item, type: 'output', subfolder: '', mediaType: '3d' };
}

function toTextPreview(text: string): { readonly content: string; readonly truncated?: true } {
  return text.length <= MAX_TEXT_PREVIEW
    ? { content: text }
    : { content: text.slice(0, MAX_TEXT_PREVIEW), truncated: true };
}

function nameOf(item: Readonly<Record<string, unknown>>): string {
  return typeof item['filename'] === 'string' ? item['filename'] : '';
}

function mapValues(
  record: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
