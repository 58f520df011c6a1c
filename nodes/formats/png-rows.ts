import { bindKernels } from './kernels/bind-kernels.ts';
import { PNG_ROWS } from './kernels/png-rows.wasm.ts';
import {
  FILTERED,
  FILTERED_BYTES,
  FIRST_ROW,
  FLOATS,
  PNG_ROWS_BYTES,
  ROW_ROOM,
  SECOND_ROW,
  WORK,
} from './kernels/png-rows-layout.ts';

/** Filtered rows of one part of a picture, and the Adler-32 of all rows so far. */
export type Filtered = { readonly rows: Uint8Array<ArrayBuffer>; readonly adler: number };

const PAGE_BYTES = 65_536;

let opened: ReturnType<typeof open> | undefined;

/** How many rows of so many bytes are filtered in one go: what fits, a fixed number, so that files do not differ. */
export function rowsAtOnce(rowBytes: number): number {
  return Math.max(1, Math.floor(FILTERED_BYTES / (rowBytes + 1)));
}

/**
 * Filters rows of a picture from top to bottom, a part at a time. Between two calls another picture may be filtered:
 * what a part needs of the one before is taken from the picture.
 *
 * @param samples of the whole picture; bytes, or floats of 0 to 1 that are cut off as `truncateSamples` does it.
 * @param pixel bytes of a pixel: 1 to 4.
 * @param adler of the rows before; 1 for none.
 * @returns a copy that is the caller's.
 */
export function filterRows(
  samples: Uint8Array | Float32Array,
  { rowBytes, pixel, from, count }: { rowBytes: number; pixel: number; from: number; count: number },
  adler: number,
): Filtered {
  opened ??= open();
  const { bytes, floats, clearRow, truncateRow, filterRow, addToAdler } = opened;
  let [row, above] = [FIRST_ROW, SECOND_ROW];
  for (const each of [row, above]) clearRow(each, ROW_ROOM);

  function bring(index: number, to: number): void {
    const source = samples.subarray(index * rowBytes, (index + 1) * rowBytes);
    if (source instanceof Uint8Array) bytes.set(source, to);
    else {
      floats.set(source);
      truncateRow(FLOATS, to, rowBytes);
    }
  }

  if (from > 0) bring(from - 1, above);
  for (let index = 0; index < count; index++) {
    bring(from + index, row);
    filterRow(row, above, rowBytes, pixel, WORK, FILTERED + index * (rowBytes + 1));
    [row, above] = [above, row];
  }
  const length = count * (rowBytes + 1);
  return {
    adler: addToAdler(adler, FILTERED, length) >>> 0,
    rows: bytes.slice(FILTERED, FILTERED + length),
  };
}

/** One for the thread: filtering is never interrupted. */
function open() {
  const pages = Math.ceil(PNG_ROWS_BYTES / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const take = bindKernels(new WebAssembly.Module(Buffer.from(PNG_ROWS, 'base64')), memory);
  return {
    bytes: new Uint8Array(memory.buffer),
    floats: new Float32Array(memory.buffer, FLOATS, ROW_ROOM),
    clearRow: take('clearRow'),
    truncateRow: take('truncateRow'),
    filterRow: take('filterRow'),
    addToAdler: take('addToAdler'),
  };
}
