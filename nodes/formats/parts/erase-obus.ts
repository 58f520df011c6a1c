/**
 * Units of AV1 that no picture needs: metadata, padding, and kinds that there are not.
 * @see https://aomediacodec.github.io/av1-spec/#obu-syntax
 */

/** Sequence header, temporal delimiter, frame header, tile group, frame, frame header again. */
const PICTURE_UNITS = new Set([1, 2, 3, 4, 6, 7]);
const PADDING = 15;
const FLAG = { extension: 0x04, size: 0x02 } as const;
/** Padding ends in a one and zeros. */
const LAST_OF_PADDING = 0x80;

/** Makes padding of them, of the same size. What cannot be walked stays, from there on. */
export function eraseObus(out: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; ) {
    const head = out[at] ?? 0;
    let start = at + ((head & FLAG.extension) === 0 ? 1 : 2);
    let length = to - start;
    if ((head & FLAG.size) !== 0) {
      // LEB128: seven bits a byte, the lowest first.
      length = 0;
      let shift = 0;
      for (; shift < 56; shift += 7) {
        const byte = out[start++] ?? 0;
        length += (byte & 0x7f) * 2 ** shift;
        if ((byte & 0x80) === 0) break;
      }
    }
    const end = start + length;
    if (length < 0 || end > to) return;
    if (!PICTURE_UNITS.has((head >> 3) & 15)) {
      out[at] = (PADDING << 3) | (head & (FLAG.extension | FLAG.size));
      out.fill(0, start, end);
      if (length > 0) out[end - 1] = LAST_OF_PADDING;
    }
    at = end;
  }
}
