import type { MergeJob, Operand, StoredTensor } from '../merge/job.ts';
import type { AnyMethod } from '../merge/method.ts';
import { countSurveyRounds } from '../merge/run-method.ts';
import type { FileFacts } from './facts.ts';
import { tensorBytes } from './predict-output.ts';

/** How the engine uses memory; it knows, the estimate only multiplies. */
export type EngineCosts = {
  readonly threads: number;
  /** Before the first tensor: the program, its tables. */
  readonly fixedBytes: number;
  /** Buffers of one thread, whatever it computes. */
  readonly bytesPerThread: number;
  /** Beyond that, for a tensor that is made as a whole; 0 for one that is made part by part. */
  needOf(name: string, value: Operand): number;
};

/** What one job moves and needs. */
export type JobEstimate = {
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly peakMemoryBytes: number;
};

/**
 * What a job reads: for each tensor of the output every different run of bytes of an input once; for a method that
 * surveys the model first as often again as it has rounds; and each file's header. What it writes: the file.
 * Memory: what the engine always takes, and the neediest tensors, one a thread.
 *
 * @param output the predicted file.
 * @param headerBytes of an input, by path.
 */
export function estimateJob(
  job: Pick<MergeJob, 'files' | 'tensors'>,
  output: Pick<FileFacts, 'bytes'>,
  headerBytes: (path: string) => number,
  findMethod: (id: string) => AnyMethod,
  { threads, fixedBytes, bytesPerThread, needOf }: EngineCosts,
): JobEstimate {
  let readBytes = job.files.reduce((sum, path) => sum + headerBytes(path), 0);
  const whole: number[] = [];
  for (const { name, value } of job.tensors) {
    const seen = new Map<string, { readonly bytes: number; passes: number }>();
    collect(value, 1, seen, findMethod);
    for (const { bytes, passes } of seen.values()) readBytes += bytes * passes;
    whole.push(needOf(name, value));
  }
  const largest = whole.sort((a, b) => b - a).slice(0, threads);
  const peakMemoryBytes =
    fixedBytes + threads * bytesPerThread + largest.reduce((sum, bytes) => sum + bytes, 0);
  return { readBytes, writeBytes: output.bytes, peakMemoryBytes };
}

/** Stored runs below a value, and how often the engine passes over each. */
function collect(
  value: Operand,
  passes: number,
  seen: Map<string, { readonly bytes: number; passes: number }>,
  findMethod: (id: string) => AnyMethod,
): void {
  switch (value.kind) {
    case 'stored':
      addRun(value, passes, seen);
      break;
    case 'constant':
      break;
    case 'adapted':
      collect(value.base, passes, seen, findMethod);
      for (const { tensors } of value.patches)
        for (const stored of Object.values(tensors)) addRun(stored, passes, seen);
      break;
    case 'merged': {
      const method = value.survey ? findMethod(value.method) : undefined;
      const again = method ? countSurveyRounds(method, value.params) : 0;
      for (const each of [...value.models, ...(value.base ? [value.base] : [])])
        collect(each, passes + again, seen, findMethod);
    }
  }
}

function addRun(
  stored: StoredTensor,
  passes: number,
  seen: Map<string, { readonly bytes: number; passes: number }>,
): void {
  const key = `${stored.file} ${stored.offset}`;
  const known = seen.get(key);
  if (known) known.passes = Math.max(known.passes, passes);
  else seen.set(key, { bytes: tensorBytes(stored), passes });
}

/** A file that a step leaves on a disk. */
export type DiskUse = {
  readonly step: string;
  readonly volume: string;
  readonly bytes: number;
  /** Of the file that it replaces, which stays until the new one is whole; 0 without one. */
  readonly replacedBytes: number;
  /** The step after which it is deleted; absent for what stays. */
  readonly lastUser?: string;
};

/** The bytes that a pipeline adds to a disk while a step runs, and when its end has been cleaned up. */
export type DiskMoment = {
  readonly step: string;
  readonly volume: string;
  readonly duringBytes: number;
  readonly afterBytes: number;
};

/**
 * How full the disks get, step by step.
 *
 * @param order ids of all steps as they run, one after the other.
 */
export function followDisks(order: readonly string[], uses: readonly DiskUse[]): readonly DiskMoment[] {
  const volumes = [...new Set(uses.map(({ volume }) => volume))];
  return volumes.flatMap((volume) => {
    const made = new Map<string, number>();
    const freed = new Map<string, number>();
    const add = (to: Map<string, number>, step: string, bytes: number): unknown =>
      to.set(step, (to.get(step) ?? 0) + bytes);
    for (const use of uses) {
      if (use.volume !== volume) continue;
      add(made, use.step, use.bytes);
      add(freed, use.step, use.replacedBytes);
      if (use.lastUser !== undefined) add(freed, use.lastUser, use.bytes);
    }
    let held = 0;
    return order.map((step) => {
      const during = held + (made.get(step) ?? 0);
      held = during - (freed.get(step) ?? 0);
      return { step, volume, duringBytes: during, afterBytes: held };
    });
  });
}
