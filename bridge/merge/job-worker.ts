/**
 * One of the threads that make a merged file: takes units by tickets, reads, computes, and writes through the slots
 * that all threads share. `job-threads.ts` is the other end of the line.
 */
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { floatBytes, isFloat } from '../../nodes/formats/floats.ts';
import { createKernels } from '../../nodes/merge/kernels/kernels.ts';
import { failureOf } from '../local/thread-failure.ts';
import { countDamage } from './damage.ts';
import { makeOfRun } from './make-run.ts';
import { beginOf, type Unit, unitOf } from './plan.ts';
import { bufferAt, createSamples } from './samples.ts';
import { CELL, checkStop, STOPPED, UNIT_CLAIMED, UNIT_DONE, UNIT_OPEN } from './shared-state.ts';
import { createSlotWriter } from './slot-writer.ts';
import type { ThreadReport, ThreadStart, ThreadTask } from './thread-messages.ts';
import type { WholeTools } from './whole-tools.ts';

type Make = Extract<ThreadTask, { kind: 'make' }>;
type Survey = Extract<ThreadTask, { kind: 'survey' }>;
type Whole = typeof import('./make-whole.ts') & typeof import('./memory-need.ts') & WholeTools;

// The edge of a thread: `startThreads` hands over exactly this.
const start: ThreadStart = workerData;
const { plan, state, share, inputs, notFinite } = start;
const kernels = createKernels(start.module, state.memory, share.scratch, start.half);
const samples = createSamples(state, share, kernels, inputs, notFinite);
const writer = createSlotWriter(state, start.thread, share, start.output);
const memory = new Uint8Array(state.memory.buffer);
const bench = { share, kernels, samples, memory };
const { checksum } = kernels;

const port = parentPort;
const report = (message: ThreadReport): void => port?.postMessage(message);

port?.on('message', (task: ThreadTask) => {
  if (task.kind === 'end') {
    port.close();
    return;
  }
  run(task).then(
    () => report({ kind: 'idle' }),
    (error: unknown) => report(error === STOPPED ? { kind: 'idle' } : failureOf(error)),
  );
});

async function run(task: Exclude<ThreadTask, { kind: 'end' }>): Promise<void> {
  if (task.kind === 'verify') verifyUnits();
  else if (task.kind === 'survey') survey(await loadWhole(), task);
  else await makeUnits(task);
}

let tools: WholeTools | undefined;

/** Methods are many files, and most jobs are sums, which need none of them here. */
async function loadWhole(): Promise<Whole> {
  const { createWholeTools } = await import('./whole-tools.ts');
  tools ??= createWholeTools(start);
  return { ...(await import('./make-whole.ts')), ...(await import('./memory-need.ts')), ...tools };
}

async function makeUnits(task: Make): Promise<void> {
  const isWhole = plan.runs.some(({ recipe }) => recipe.way === 'whole');
  const whole = isWhole ? await loadWhole() : undefined;
  for (const index of takeTickets(plan.unitCount)) {
    if (Atomics.load(state.units, index) === UNIT_DONE) continue;
    const unit = unitOf(plan, index);
    if (unit.run.recipe.way !== 'whole') makePart(index, unit);
    else if (whole) makeTensor(whole, task, index, unit);
  }
  writer.finish();
}

function makePart(index: number, unit: Unit): void {
  const slot = writer.take();
  const out = share.slots[slot] ?? 0;
  const damage = watch(unit);
  makeOfRun(bench, unit, unit.at - beginOf(plan, unit.run), out, damage);
  if (start.keepsChecksums) {
    checksum.begin();
    checksum.add(out, unit.bytes);
  }
  finishUnit(index, damage.rows());
  writer.put(slot, unit.at, unit.bytes, index);
}

/** Elements go through the slots as they come; only the last part of them ends the unit. */
function makeTensor(whole: Whole, { surveys }: Make, index: number, unit: Unit): void {
  const { recipe } = unit.run;
  if (recipe.way !== 'whole') return;
  const { dtype, value } = recipe;
  const name = plan.names[unit.run.first] ?? '';
  const size = floatBytes(dtype);
  const damage = watch(unit, whole.kernels);
  let made = 0;
  if (start.keepsChecksums) checksum.begin();

  function emit(elements: Float32Array): void {
    for (let from = 0; from < elements.length; from += samples.longest) {
      checkStop(state);
      const part = elements.subarray(from, from + samples.longest);
      const slot = writer.take();
      const out = share.slots[slot] ?? 0;
      samples.view(bufferAt(share, 0), part.length).set(part);
      const counts = samples.encode(dtype, bufferAt(share, 0), out, part.length);
      damage.made(made, part.length, counts, () => counts);
      const bytes = part.length * size;
      if (start.keepsChecksums) checksum.add(out, bytes);
      const isLast = (made + part.length) * size === unit.bytes;
      if (isLast) {
        // The other parts must be in the file before the last one says that all are.
        writer.finish();
        finishUnit(index, damage.rows());
      }
      writer.put(slot, unit.at + made * size, bytes, isLast ? index : -1);
      made += part.length;
    }
  }

  const release = hold(whole.memoryNeed(name, value));
  try {
    whole.makeWhole({ ...whole, name, surveys, found: damage.found }, value, emit);
  } finally {
    release();
  }
}

function survey(whole: Whole, { tasks, round, surveys }: Survey): void {
  for (const task of takeTickets(tasks.length)) {
    const { name, value } = tasks[task] ?? {};
    if (name === undefined || !value) continue;
    const release = hold(whole.memoryNeed(name, value));
    try {
      // What is not finite is counted when the tensor is made.
      const found = whole.surveyWhole({ ...whole, name, surveys, found: () => undefined }, value, round);
      report({ kind: 'surveyed', task, found });
    } finally {
      release();
    }
  }
}

/** Waits until so much may be taken from what the whole job may take at one time. */
function hold(bytes: number): () => void {
  const { cells } = state;
  const kibibytes = Math.ceil(bytes / 1024);
  const most = Math.floor(start.memoryBytes / 1024);
  writer.finish();
  for (;;) {
    checkStop(state);
    const held = Atomics.load(cells, CELL.held);
    if (held > 0 && held + kibibytes > most) Atomics.wait(cells, CELL.held, held, 50);
    else if (Atomics.compareExchange(cells, CELL.held, held, held + kibibytes) === held) break;
  }
  return () => {
    Atomics.sub(cells, CELL.held, kibibytes);
    Atomics.notify(cells, CELL.held);
  };
}

function verifyUnits(): void {
  for (const index of takeTickets(plan.unitCount)) {
    if (Atomics.load(state.units, index) !== UNIT_CLAIMED) continue;
    const { at, bytes } = unitOf(plan, index);
    const isRight = checksumOf(at, bytes) === state.checksums[index];
    Atomics.store(state.units, index, isRight ? UNIT_DONE : UNIT_OPEN);
    if (isRight) Atomics.add(state.written, 0, BigInt(bytes));
  }
}

function checksumOf(at: number, bytes: number): number | undefined {
  checksum.begin();
  for (let done = 0; done < bytes; ) {
    checkStop(state);
    const read = readSync(
      start.output.file,
      memory,
      share.spare,
      Math.min(share.bytes, bytes - done),
      at + done,
    );
    if (read === 0) return undefined;
    checksum.add(share.spare, read);
    done += read;
  }
  return checksum.end();
}

function* takeTickets(count: number): Generator<number> {
  for (;;) {
    const ticket = Atomics.add(state.cells, CELL.ticket, 1);
    if (ticket >= count) return;
    checkStop(state);
    yield ticket;
  }
}

/** @param by kernels at whose addresses inputs are found that are not finite */
function watch(unit: Unit, by = kernels) {
  const { dtype } = unit.run.recipe;
  return countDamage(plan, unit, isFloat(dtype) ? floatBytes(dtype) : 1, by, inputs, notFinite);
}

/** Before the unit is handed to whoever writes it, since nobody may look at it between the two. */
function finishUnit(unit: number, rows: Extract<ThreadReport, { kind: 'damaged' }>['rows']): void {
  if (start.keepsChecksums) state.checksums[unit] = checksum.end();
  if (rows.length === 0) return;
  state.damaged[unit] = 1;
  report({ kind: 'damaged', unit, rows });
}
