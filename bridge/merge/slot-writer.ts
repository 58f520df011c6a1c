import { writeSync } from 'node:fs';
import { LineageError } from '../../nodes/kit/errors.ts';
import { reasonOf } from '../local/system-error.ts';
import {
  CELL,
  checkStop,
  type Share,
  type SharedState,
  SLOT_FIELDS,
  SLOT_FREE,
  SLOT_READY,
  SLOTS_PER_THREAD,
  UNIT_DONE,
} from './shared-state.ts';

export type SlotWriter = {
  /** Waits for a slot that may be filled, and gives its place in the list of this thread. */
  take(): number;
  /** Hands a filled slot over. The unit counts as done once this is written; -1 where more of it comes. */
  put(slot: number, at: number, bytes: number, unit: number): void;
  /** Waits until all that was handed over is in the file. */
  finish(): void;
};

/** How long a thread sleeps at most before it looks again. */
const LOOK_AGAIN_MS = 20;

/**
 * The writing half of a thread. Whoever finds nobody writing writes what all threads have ready; the others go on
 * computing. Two that write to one file at once only wait for each other in the file system, and burn a processor.
 *
 * All of its functions throw STOPPED, or LineageError `file/unwritable`.
 */
export function createSlotWriter(
  state: SharedState,
  thread: number,
  share: Share,
  output: { readonly file: number; readonly path: string },
): SlotWriter {
  const { cells, slots, slotFields, units, written } = state;
  const memory = new Uint8Array(state.memory.buffer);
  const first = thread * SLOTS_PER_THREAD;
  const isFree = (slot: number): boolean => Atomics.load(slots, first + slot) === SLOT_FREE;

  function write(slot: number): void {
    const [address = 0, at = 0, bytes = 0, unit = -1] = slotFields.subarray(
      slot * SLOT_FIELDS,
      (slot + 1) * SLOT_FIELDS,
    );
    writeFully(output, memory, address, at, bytes);
    if (unit >= 0) {
      Atomics.store(units, unit, UNIT_DONE);
      Atomics.notify(units, unit);
    }
    Atomics.add(written, 0, BigInt(bytes));
    Atomics.store(slots, slot, SLOT_FREE);
  }

  /** One pass over all slots; false where somebody else writes. */
  function writeReady(): boolean {
    if (Atomics.compareExchange(cells, CELL.writer, 0, 1) !== 0) return false;
    try {
      for (let slot = 0; slot < slots.length; slot++)
        if (Atomics.load(slots, slot) === SLOT_READY) write(slot);
    } finally {
      Atomics.store(cells, CELL.writer, 0);
      Atomics.notify(cells, CELL.writer);
    }
    return true;
  }

  function waitFor(isThere: () => boolean): void {
    while (!isThere()) {
      checkStop(state);
      if (!writeReady()) Atomics.wait(cells, CELL.writer, 1, LOOK_AGAIN_MS);
    }
  }

  return {
    take() {
      let taken = -1;
      waitFor(() => {
        taken = share.slots.findIndex((_, slot) => isFree(slot));
        return taken >= 0;
      });
      return taken;
    },
    put(slot, at, bytes, unit) {
      slotFields.set([share.slots[slot] ?? 0, at, bytes, unit], (first + slot) * SLOT_FIELDS);
      Atomics.store(slots, first + slot, SLOT_READY);
      checkStop(state);
      writeReady();
    },
    finish() {
      waitFor(() => share.slots.every((_, slot) => isFree(slot)));
    },
  };
}

function writeFully(
  { file, path }: { readonly file: number; readonly path: string },
  memory: Uint8Array,
  address: number,
  at: number,
  bytes: number,
): void {
  try {
    let done = 0;
    while (done < bytes) done += writeSync(file, memory, address + done, bytes - done, at + done);
  } catch (error) {
    const message = `expected to write the file, got: ${reasonOf(error)}`;
    throw new LineageError('file/unwritable', message, { file: path }, { cause: error });
  }
}
