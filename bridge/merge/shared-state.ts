import { SCRATCH_BYTES } from '../../nodes/merge/kernels/kernels.ts';

/**
 * What the threads of one job share. Everything is a cell that is read and written by `Atomics`; the memory of the
 * kernels is divided by `divideMemory`, so that no two threads ever write the same bytes of it.
 */
export type SharedState = {
  readonly memory: WebAssembly.Memory;
  /** Cells by the names of `CELL`. */
  readonly cells: Int32Array<SharedArrayBuffer>;
  /** One for each slot of each thread: `SLOT_FREE`, or `SLOT_READY` to be written. */
  readonly slots: Int32Array<SharedArrayBuffer>;
  /** Of each slot: address in memory, offset in the output, bytes, and the unit that it ends (or -1). */
  readonly slotFields: Float64Array<SharedArrayBuffer>;
  /** One for each unit: `UNIT_OPEN` or above. */
  readonly units: Int32Array<SharedArrayBuffer>;
  /** The kernels' checksum of each unit that is done, where the job keeps a journal. */
  readonly checksums: Uint32Array<SharedArrayBuffer>;
  /** 1 for units that a `damaged` report tells of. */
  readonly damaged: Uint8Array<SharedArrayBuffer>;
  /** Bytes of the output that are there, alone in its array. */
  readonly written: BigInt64Array<SharedArrayBuffer>;
};

export const CELL = {
  /** Not 0: everybody is to stop. */
  stop: 0,
  /** The next unit or tensor that nobody has taken. */
  ticket: 1,
  /** 1 while somebody writes to the output. */
  writer: 2,
  /** KiB that tensors which are made as a whole take now. */
  held: 3,
} as const;

export const SLOT_FREE = 0;
export const SLOT_READY = 1;
export const SLOT_FIELDS = 4;
/** Two to fill while others are written, and one more for a writer that is slow. */
export const SLOTS_PER_THREAD = 3;

export const UNIT_OPEN = 0;
/** The journal says that it is there; nobody has looked. */
export const UNIT_CLAIMED = 1;
export const UNIT_DONE = 2;

/** The addresses of one thread. */
export type Share = {
  /** For the kernels' own constants, `SCRATCH_BYTES` long. */
  readonly scratch: number;
  readonly slots: readonly number[];
  readonly buffers: readonly number[];
  /** Between two kernels. */
  readonly spare: number;
  /** Of each slot, each buffer and the spare. */
  readonly bytes: number;
};

const PAGE_BYTES = 65_536;
/** Where the kernels' compiled constants lie. */
const MODULE_BYTES = PAGE_BYTES;
const SCRATCH_SPACE = Math.ceil(SCRATCH_BYTES / 64) * 64;

export function divideMemory(thread: number, buffers: number, bytes: number): Share {
  const areas = SLOTS_PER_THREAD + buffers + 1;
  const scratch = MODULE_BYTES + thread * (SCRATCH_SPACE + areas * bytes);
  const at = (area: number): number => scratch + SCRATCH_SPACE + area * bytes;
  return {
    scratch,
    slots: Array.from({ length: SLOTS_PER_THREAD }, (_, slot) => at(slot)),
    buffers: Array.from({ length: buffers }, (_, buffer) => at(SLOTS_PER_THREAD + buffer)),
    spare: at(areas - 1),
    bytes,
  };
}

/** @param bytes of each buffer; a multiple of 64. */
export function createSharedState(
  threads: number,
  units: number,
  buffers: number,
  bytes: number,
): SharedState {
  const pages = Math.ceil(divideMemory(threads, buffers, bytes).scratch / PAGE_BYTES);
  const slots = threads * SLOTS_PER_THREAD;
  return {
    memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }),
    cells: new Int32Array(new SharedArrayBuffer(4 * Object.keys(CELL).length)),
    slots: new Int32Array(new SharedArrayBuffer(4 * slots)),
    slotFields: new Float64Array(new SharedArrayBuffer(8 * slots * SLOT_FIELDS)),
    units: new Int32Array(new SharedArrayBuffer(4 * units)),
    checksums: new Uint32Array(new SharedArrayBuffer(4 * units)),
    damaged: new Uint8Array(new SharedArrayBuffer(units)),
    written: new BigInt64Array(new SharedArrayBuffer(8)),
  };
}

/** What a thread throws when it was told to stop: no failure, so it is caught where threads begin. */
export const STOPPED = Symbol('stopped');

/** @throws STOPPED */
export function checkStop({ cells }: Pick<SharedState, 'cells'>): void {
  if (Atomics.load(cells, CELL.stop) !== 0) throw STOPPED;
}
