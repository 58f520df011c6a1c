/** A piece of an output file: new bytes, or a range of the source that is kept as it is. */
export type Piece = Uint8Array | { readonly from: number; readonly to: number };

/**
 * Appends the range [from, to) of the source, growing the last piece where the two touch: a file of a million
 * untouched chunks stays one piece.
 */
export function keep(pieces: Piece[], from: number, to: number): void {
  if (to <= from) return;
  const last = pieces.at(-1);
  if (last !== undefined && !(last instanceof Uint8Array) && last.to === from) {
    pieces[pieces.length - 1] = { from: last.from, to };
  } else {
    pieces.push({ from, to });
  }
}

/** How many bytes the pieces make. */
function countBytes(pieces: readonly Piece[]): number {
  let total = 0;
  for (const piece of pieces) total += piece instanceof Uint8Array ? piece.length : piece.to - piece.from;
  return total;
}

/**
 * Joins the pieces into one new block: allocated once, every byte written once.
 *
 * @param source where kept ranges are taken from; not modified, not retained.
 */
export function assemble(source: Uint8Array, pieces: readonly Piece[]): Uint8Array {
  const total = countBytes(pieces);
  // Not zeroed: every byte is overwritten, and zeroing costs as much as the copy.
  const out = new Uint8Array(Buffer.allocUnsafeSlow(total).buffer, 0, total);
  let at = 0;
  for (const piece of pieces) {
    const bytes = piece instanceof Uint8Array ? piece : source.subarray(piece.from, piece.to);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** Joins blocks into one new block. */
export function concatBytes(...blocks: readonly Uint8Array[]): Uint8Array {
  return joinBytes(blocks);
}

/** The same of a list, however long: the arguments of a call have to lie on the stack. */
export function joinBytes(blocks: readonly Uint8Array[]): Uint8Array {
  return assemble(new Uint8Array(0), blocks);
}
