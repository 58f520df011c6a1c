import { fsync } from 'node:fs';
import { promisify } from 'node:util';
import type { MergeJob, Operand } from '../../nodes/merge/job.ts';
import { type Checkpoints, createCheckpoints } from './checkpoints.ts';
import type { Damage, UnitDamage } from './damage.ts';
import { compileHalfKernels } from './half-kernels.ts';
import { hashOutput, type OutputHashes } from './hash-output.ts';
import { startThreads } from './job-threads.ts';
import type { OutputFile } from './output-file.ts';
import { type Plan, piecesOf, unitOf } from './plan.ts';
import type { InputFile } from './samples.ts';
import {
  createSharedState,
  divideMemory,
  type SharedState,
  UNIT_CLAIMED,
  UNIT_DONE,
} from './shared-state.ts';
import { runSurveys } from './survey-rounds.ts';
import type { ThreadReport, ThreadTask } from './thread-messages.ts';

export type MakeOptions = {
  /** Threads that compute: at least 1. The result does not depend on it. */
  readonly threads: number;
  /** What tensors that are made as a whole may take at one time. Sums take none of it. */
  readonly memoryBytes: number;
  /** Stops within 250 ms; a resumable job goes on from there the next time. */
  readonly signal: AbortSignal;
  /** Called a few times a second: bytes of the output that are there, and of all of it. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
  /** Keep a journal beside the unfinished file, so that a run that was stopped or killed is not lost. Default true. */
  readonly resumable?: boolean;
  /** Hash the output while it is made: takes longer than a merge of few models. Default false. */
  readonly hashOutput?: boolean;
  /** Wait until the file outlives a power cut. Default true. */
  readonly flush?: boolean;
  /** Between two entries of the journal. For tests. */
  readonly checkpointMs?: number;
};

export type Made = {
  readonly hashes?: OutputHashes;
  /** Tensors with anything wrong, by name. */
  readonly damage: ReadonlyMap<string, Damage>;
  /** Tensors that an earlier run had made, all of their bytes found intact. */
  readonly resumed: number;
};

/** An open output that is being filled. */
export type Making = {
  /** Makes all of it, and lets the threads go. */
  finish(): Promise<Made>;
  /** Stops all threads, whatever they do; waits so long at most. */
  stop(milliseconds: number): Promise<void>;
  /** Brings the journal up to date, after `stop`. */
  leaveResumable(): Promise<void>;
  /** When nothing touches the files of the job any more. */
  readonly gone: Promise<unknown>;
};

const PROGRESS_MS = 100;
const CHECKPOINT_MS = 1000;
const flushFile = promisify(fsync);

/** What a file is made of. All files stay the caller's, who closes them when the work is gone. */
type MakingInputs = {
  readonly plan: Plan;
  readonly notFinite: MergeJob['notFinite'];
  /** The size of a unit of the plan. */
  readonly unitBytes: number;
  /** A WebAssembly module. */
  readonly kernels: Uint8Array;
  readonly inputs: readonly InputFile[];
  /** Open, its header written; its claims are what an earlier run says to have made. */
  readonly output: OutputFile;
  readonly headerBytes: number;
};

/**
 * Starts the threads that make the tensors of a file; `finish` sets them to work.
 *
 * @returns what must be stopped, or finished, before the files are closed
 */
export function startMaking(
  { plan, notFinite, unitBytes, kernels, inputs, output, headerBytes }: MakingInputs,
  options: MakeOptions,
): Making {
  const { signal, memoryBytes, progress } = options;
  const totalBytes = plan.begins.at(-1) ?? headerBytes;
  const isResumable = options.resumable !== false;
  const flush = options.flush !== false;
  const count = Math.max(1, Math.min(options.threads, plan.unitCount));
  const { buffers } = plan;
  const state = createSharedState(count, plan.unitCount, buffers, unitBytes);
  const module = new WebAssembly.Module(kernels);
  const half = plan.runs.some(({ recipe }) => recipe.dtype === 'F16') ? compileHalfKernels() : undefined;
  const damage = takeClaims(output.claims, plan, state);
  const threads = startThreads(count, (thread) => ({
    thread,
    plan,
    state,
    share: divideMemory(thread, buffers, unitBytes),
    module,
    ...(half && { half }),
    inputs,
    output: { file: output.file, path: output.path },
    notFinite,
    memoryBytes,
    keepsChecksums: isResumable,
  }));
  const hasher = options.hashOutput ? hashOutput({ plan, state, file: output.file, headerBytes }) : undefined;
  let checkpoints: Checkpoints | undefined;
  let flushing: Promise<unknown> = Promise.resolve();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort);
  aborted.catch(() => undefined);

  /** Nothing that is awaited here keeps a caller who has cancelled. */
  function orAborted<T>(work: Promise<T>): Promise<T> {
    signal.throwIfAborted();
    return Promise.race([work, aborted]);
  }

  async function share(
    task: ThreadTask,
    receive: (report: ThreadReport) => void = () => undefined,
  ): Promise<void> {
    await orAborted(threads.run(task, receive));
  }

  async function survey(task: Extract<ThreadTask, { kind: 'survey' }>): Promise<readonly Float64Array[]> {
    const found: Float64Array[] = [];
    await share(task, (report) => {
      if (report.kind === 'surveyed') found[report.task] = report.found;
    });
    return found;
  }

  return {
    async finish() {
      if (output.claims.length > 0) await share({ kind: 'verify' });
      const open = openUnits(plan, state.units);
      for (const unit of open) damage.delete(unit);
      const resumed = output.claims.length > 0 ? plan.names.length - countTensors(plan, open) : 0;
      const keeper = createCheckpoints(state, output, (unit) => damage.get(unit));
      if (isResumable) checkpoints = keeper;
      const timer = keepWatch(isResumable ? keeper : undefined);
      try {
        const surveys = await runSurveys(valuesOf(plan, open), survey);
        await share({ kind: 'make', surveys }, (report) => {
          if (report.kind === 'damaged') damage.set(report.unit, report.rows);
        });
        const hashes = await orAborted(Promise.resolve(hasher?.hashes));
        if (flush) {
          flushing = flushFile(output.file);
          await orAborted(flushing);
        }
        await orAborted(threads.end());
        progress?.(totalBytes, totalBytes);
        return { ...(hashes && { hashes }), damage: sumUp(plan, damage), resumed };
      } finally {
        clearInterval(timer);
        await Promise.race([flushing, aborted]).catch(() => undefined);
        signal.removeEventListener('abort', abort);
      }
    },
    stop: (milliseconds) => threads.stop(milliseconds),
    async leaveResumable() {
      await checkpoints?.take(false);
    },
    get gone() {
      return Promise.allSettled([threads.gone, hasher?.gone, flushing]);
    },
  };

  function keepWatch(keeper: Checkpoints | undefined): NodeJS.Timeout {
    const between = options.checkpointMs ?? CHECKPOINT_MS;
    let next = performance.now() + between;
    let isTaking = false;
    return setInterval(
      () => {
        progress?.(headerBytes + Number(Atomics.load(state.written, 0)), totalBytes);
        if (!keeper || isTaking || performance.now() < next) return;
        isTaking = true;
        flushing = keeper.take(flush).finally(() => {
          isTaking = false;
          next = performance.now() + between;
        });
        // A journal that cannot be kept costs time later, and nothing now; a full disk fails the next write.
        flushing.catch(() => undefined);
      },
      Math.min(PROGRESS_MS, between),
    );
  }
}

/** Notes what an earlier run claims to have made, to be verified; answers with the damage that it found, by unit. */
function takeClaims(
  claims: OutputFile['claims'],
  { unitCount }: Plan,
  { units, checksums }: SharedState,
): Map<number, readonly UnitDamage[]> {
  const damage = new Map<number, readonly UnitDamage[]>();
  for (const row of claims) {
    if (row.unit >= unitCount) continue;
    units[row.unit] = UNIT_CLAIMED;
    checksums[row.unit] = row.checksum;
    damage.set(row.unit, row.damage);
  }
  return damage;
}

function openUnits({ unitCount }: Plan, units: Int32Array): number[] {
  return Array.from({ length: unitCount }, (_, unit) => unit).filter((unit) => units[unit] !== UNIT_DONE);
}

/** How many tensors these units touch. */
function countTensors(plan: Plan, units: readonly number[]): number {
  const touched = new Set<number>();
  for (const unit of units) for (const { tensor } of piecesOf(plan, unitOf(plan, unit))) touched.add(tensor);
  return touched.size;
}

/** What is to be made as a whole, by the output's name. */
function valuesOf(plan: Plan, units: readonly number[]): ReadonlyMap<string, Operand> {
  const values = new Map<string, Operand>();
  for (const unit of units) {
    const { recipe, first } = unitOf(plan, unit).run;
    if (recipe.way === 'whole') values.set(plan.names[first] ?? '', recipe.value);
  }
  return values;
}

function sumUp(plan: Plan, damage: ReadonlyMap<number, readonly UnitDamage[]>): ReadonlyMap<string, Damage> {
  const sums = new Map<string, Damage>();
  for (const { tensor, notFinite, overflowed, nan } of [...damage.values()].flat()) {
    const name = plan.names[tensor] ?? '';
    const sum = sums.get(name) ?? { notFinite: 0, overflowed: 0, nan: 0 };
    sums.set(name, {
      notFinite: sum.notFinite + notFinite,
      overflowed: sum.overflowed + overflowed,
      nan: sum.nan + nan,
    });
  }
  return sums;
}
