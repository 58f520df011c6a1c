/**
 * The rows of a PNG, as far as it takes to tell what of a stream and of a palette is the picture.
 * @see https://www.w3.org/TR/png-3/#8Interlace and #9Filters
 */

/** IHDR, but for the sides, which are those of a frame where there are several. */
export type PngHeader = {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly isInterlaced: boolean;
};

/** Samples of a pixel by colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Adam7: first column, first row, steps. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/**
 * Reads what the size of the pixels follows from.
 *
 * @param data of IHDR
 * @returns undefined for one that is cut off or of a colour type that there is not
 */
export function readPngHeader(data: Uint8Array): PngHeader | undefined {
  if (data.length < 13) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [depth, colourType] = [view.getUint8(8), view.getUint8(9)];
  if (CHANNELS[colourType] === undefined || ![1, 2, 4, 8, 16].includes(depth)) return undefined;
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth,
    colourType,
    isInterlaced: view.getUint8(12) === 1,
  };
}

type Pass = { readonly rowBytes: number; readonly width: number; readonly rows: number };

function passesOf({ width, height, depth, colourType, isInterlaced }: PngHeader): Pass[] {
  const bits = depth * (CHANNELS[colourType] ?? 1);
  const pass = (columns: number, rows: number): Pass => ({
    rowBytes: Math.ceil((columns * bits) / 8),
    width: columns,
    rows,
  });
  if (!isInterlaced) return [pass(width, height)];
  return PASSES.map(([x, y, dx, dy]) =>
    pass(Math.max(0, Math.ceil((width - x) / dx)), Math.max(0, Math.ceil((height - y) / dy))),
  ).filter(({ width: columns, rows }) => columns > 0 && rows > 0);
}

/** Bytes of all filtered rows: what a stream of this picture inflates to. */
export function filteredBytes(header: PngHeader): number {
  return passesOf(header).reduce((sum, { rowBytes, rows }) => sum + rows * (rowBytes + 1), 0);
}

/** Of pictures with a palette: libpng takes no wider ones, and a row is held twice. */
export const MAX_PALETTE_WIDTH = 1_000_000;

/**
 * Marks the colours of a palette that the pixels use, as their rows come in.
 *
 * @param header of a picture of colour type 3, `MAX_PALETTE_WIDTH` wide at most
 * @param used 256 entries, those in use become 1
 * @returns takes the filtered rows in pieces of any length, which are not retained
 */
export function openRows(header: PngHeader, used: Uint8Array): (piece: Uint8Array) => void {
  const { depth } = header;
  const passes = passesOf(header);
  let [pass, row, filled] = [0, 0, 0];
  const emptyRow = (): Uint8Array => new Uint8Array(1 + (passes[pass]?.rowBytes ?? 0));
  // A row with the byte of its filter, and that above it.
  let [line, above] = [emptyRow(), emptyRow()];
  const endRow = ({ width, rows }: Pass): void => {
    const samples = line.subarray(1);
    unfilter(samples, above.subarray(1), line[0] ?? 0);
    if (depth === 8) for (let x = 0; x < width; x++) used[samples[x] ?? 0] = 1;
    for (let x = 0; x < width && depth < 8; x++) {
      const bit = x * depth;
      const index = ((samples[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
      used[index] = 1;
    }
    [line, above] = [above, line];
    filled = 0;
    if (++row < rows) return;
    pass++;
    row = 0;
    [line, above] = [emptyRow(), emptyRow()];
  };
  return (piece) => {
    for (let at = 0; at < piece.length; ) {
      const current = passes[pass];
      if (current === undefined) return;
      const taken = piece.subarray(at, at + line.length - filled);
      line.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled === line.length) endRow(current);
    }
  };
}

/** In place, for pixels of a byte at most. */
function unfilter(line: Uint8Array, above: Uint8Array, filter: number): void {
  if (filter === 1) for (let x = 1; x < line.length; x++) line[x] = (line[x] ?? 0) + (line[x - 1] ?? 0);
  else if (filter === 2) for (let x = 0; x < line.length; x++) line[x] = (line[x] ?? 0) + (above[x] ?? 0);
  else if (filter === 3 || filter === 4) {
    let [left, corner] = [0, 0];
    for (let x = 0; x < line.length; x++) {
      const up = above[x] ?? 0;
      left = ((line[x] ?? 0) + (filter === 3 ? (left + up) >> 1 : paeth(left, up, corner))) & 0xff;
      line[x] = left;
      corner = up;
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
