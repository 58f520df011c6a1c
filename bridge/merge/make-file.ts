import { fsync } from 'node:fs';
import { promisify } from 'node:util';
import type { MergeJob, Operand } from '../../nodes/merge/job.ts';
import { type AbortRace, raceAbort } from './abort-race.ts';
import { type Checkpoints, createCheckpoints } from './checkpoints.ts';
import type { Damage, UnitDamage } from './damage.ts';
import { compileHalfKernels } from './half-kernels.ts';
import { hashOutput, type OutputHasher, type OutputHashes } from './hash-output.ts';
import { type JobThreads, startThreads } from './job-threads.ts';
import { startClock } from './journal-clock.ts';
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
  /** Told once why the journal cannot be kept: the run goes on, but a later one may have to begin anew. */
  readonly onJournalLost?: (reason: unknown) => void;
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

/** What `finish` works with. */
type Work = MakingInputs & {
  readonly options: MakeOptions;
  readonly state: SharedState;
  readonly threads: JobThreads;
  /** By unit; of those that an earlier run made, as its journal says. */
  readonly damage: Map<number, readonly UnitDamage[]>;
  readonly hasher: OutputHasher | undefined;
  readonly race: AbortRace;
};

/**
 * Starts the threads that make the tensors of a file; `finish` sets them to work.
 *
 * @returns what must be stopped, or finished, before the files are closed
 */
export function startMaking(inputs: MakingInputs, options: MakeOptions): Making {
  const { plan, notFinite, unitBytes, output, headerBytes } = inputs;
  const { buffers } = plan;
  const count = Math.max(1, Math.min(options.threads, plan.unitCount));
  const state = createSharedState(count, plan.unitCount, buffers, unitBytes);
  const module = new WebAssembly.Module(inputs.kernels);
  const half = plan.runs.some(({ recipe }) => recipe.dtype === 'F16') ? compileHalfKernels() : undefined;
  const damage = takeClaims(output.claims, plan, state);
  const threads = startThreads(count, (thread) => ({
    thread,
    plan,
    state,
    share: divideMemory(thread, buffers, unitBytes),
    module,
    ...(half && { half }),
    inputs: inputs.inputs,
    output: { file: output.file, path: output.path },
    notFinite,
    memoryBytes: options.memoryBytes,
    keepsChecksums: isResumable(options),
  }));
  const hasher = options.hashOutput ? hashOutput({ plan, state, file: output.file, headerBytes }) : undefined;
  const race = raceAbort(options.signal);
  const work: Work = { ...inputs, options, state, threads, damage, hasher, race };
  let checkpoints: Checkpoints | undefined;
  let flushing: Promise<unknown> = Promise.resolve();

  async function finish(): Promise<Made> {
    const { open, resumed } = await verifyClaims(work);
    if (isResumable(options)) checkpoints = createCheckpoints(state, output, (unit) => damage.get(unit));
    const clock = startClock({
      ...options,
      checkpoints,
      flush: isFlushed(options),
      tick: tellProgress(work),
    });
    try {
      await makeUnits(work, open);
      const hashes = await race.orAborted(hasher?.hashes);
      if (isFlushed(options)) {
        flushing = flushFile(output.file);
        await race.orAborted(flushing);
      }
      await race.orAborted(threads.end());
      const totalBytes = totalBytesOf(work);
      options.progress?.(totalBytes, totalBytes);
      return { ...(hashes && { hashes }), damage: sumUp(plan, damage), resumed };
    } finally {
      clock.stop();
      flushing = Promise.allSettled([flushing, clock.idle]);
      await race.orAborted(flushing).catch(() => undefined);
    }
  }

  return {
    finish: () => finish().finally(race.end),
    stop: (milliseconds) => threads.stop(milliseconds),
    async leaveResumable() {
      try {
        await checkpoints?.take(false);
      } catch (reason) {
        options.onJournalLost?.(reason);
      }
    },
    get gone() {
      return Promise.allSettled([threads.gone, hasher?.gone, flushing]);
    },
  };
}

function isResumable({ resumable }: MakeOptions): boolean {
  return resumable !== false;
}

function isFlushed({ flush }: MakeOptions): boolean {
  return flush !== false;
}

function totalBytesOf({ plan, headerBytes }: Work): number {
  return plan.begins.at(-1) ?? headerBytes;
}

function tellProgress(work: Work): () => void {
  const { state, headerBytes, options } = work;
  const { progress } = options;
  const totalBytes = totalBytesOf(work);
  return () => progress?.(headerBytes + Number(Atomics.load(state.written, 0)), totalBytes);
}

/** Reads what the journal claims again; answers with the units that are to be made, and the tensors that need not be. */
async function verifyClaims({ plan, state, output, damage, ...work }: Work): Promise<{
  open: readonly number[];
  resumed: number;
}> {
  const hasClaims = output.claims.length > 0;
  if (hasClaims) await share(work, { kind: 'verify' });
  const open = openUnits(plan, state.units);
  for (const unit of open) damage.delete(unit);
  return { open, resumed: hasClaims ? plan.names.length - countTensors(plan, open) : 0 };
}

async function makeUnits({ plan, damage, ...work }: Work, open: readonly number[]): Promise<void> {
  const surveys = await runSurveys(valuesOf(plan, open), async (task) => {
    const found: Float64Array[] = [];
    await share(work, task, (report) => {
      if (report.kind === 'surveyed') found[report.task] = report.found;
    });
    return found;
  });
  await share(work, { kind: 'make', surveys }, (report) => {
    if (report.kind === 'damaged') damage.set(report.unit, report.rows);
  });
}

async function share(
  { threads, race }: Pick<Work, 'threads' | 'race'>,
  task: ThreadTask,
  receive: (report: ThreadReport) => void = () => undefined,
): Promise<void> {
  await race.orAborted(threads.run(task, receive));
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
