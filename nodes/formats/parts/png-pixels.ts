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

/**
 * Marks the colours of a palette that the pixels use.
 *
 * @param filtered rows of a picture of colour type 3; not modified
 * @param used 256 entries, those in use become 1
 */
export function markUsedColours(filtered: Uint8Array, header: PngHeader, used: Uint8Array): void {
  const { depth } = header;
  let at = 0;
  for (const { rowBytes, width, rows } of passesOf(header)) {
    let above = new Uint8Array(rowBytes);
    for (let row = 0; row < rows; row++) {
      const line = filtered.slice(at + 1, at + 1 + rowBytes);
      unfilter(line, above, filtered[at] ?? 0);
      for (let x = 0; x < width; x++) {
        const bit = x * depth;
        const index = ((line[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
        used[index] = 1;
      }
      above = line;
      at += rowBytes + 1;
    }
  }
}

/** In place, for pixels of a byte at most. */
function unfilter(line: Uint8Array, above: Uint8Array, filter: number): void {
  for (let x = 0; x < line.length; x++) {
    const [left, up, corner] = [line[x - 1] ?? 0, above[x] ?? 0, x > 0 ? (above[x - 1] ?? 0) : 0];
    const guess =
      filter === 1
        ? left
        : filter === 2
          ? up
          : filter === 3
            ? (left + up) >> 1
            : filter === 4
              ? paeth(left, up, corner)
              : 0;
    line[x] = (line[x] ?? 0) + guess;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
