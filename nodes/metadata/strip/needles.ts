import { latin1, latin1Bytes } from '../../formats/cursor.ts';

/** Bytes that must not be in a file, and what they are a piece of. */
export type Needle = { readonly bytes: Uint8Array; readonly of: string };

/** Random data would match shorter ones by chance. */
export const MIN_NEEDLE_BYTES = 6;
/** Long texts are looked for piece by piece, so that a part of one that was left is found too. */
const PIECE_CHARS = 16;
/** Pieces of all texts, or of all data, of a file: of more, every second, third... is looked for. */
const MAX_PIECES = 8_192;
/** Pieces of a picture or table with fewer kinds of bytes say nothing. */
const MIN_KINDS = 8;

/** Every spelling in which a text may lie in a file: UTF-8, Latin-1, UTF-16 of both orders; as is, in JSON, in XML. */
export function needlesOfText(text: string, of: string): Needle[] {
  const spellings = new Set([
    text,
    JSON.stringify(text).slice(1, -1),
    toAscii(JSON.stringify(text).slice(1, -1)),
    text.replace(/[&<>"]/g, (char) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt' }[char] ?? 'quot'};`),
  ]);
  const found: Needle[] = [];
  for (const spelling of spellings) {
    const little = Buffer.from(spelling, 'utf16le');
    const blocks = [
      Buffer.from(spelling),
      little,
      Buffer.from(little).swap16(),
      ...(/^[\0-\xff]*$/.test(spelling) && /[\x80-\xff]/.test(spelling) ? [latin1Bytes(spelling)] : []),
    ];
    for (const bytes of blocks) if (bytes.length >= MIN_NEEDLE_BYTES) found.push({ bytes, of });
  }
  return found;
}

/** A text or other data of a file, and what it is there. */
type Named<T> = { readonly data: T; readonly of: string };

/**
 * The pieces of all texts of a file that are looked for; those that may be there stay out.
 *
 * @param texts equal ones count once, so that a file may repeat itself
 */
export function needlesOfPieces(
  texts: readonly { readonly text: string; readonly of: string }[],
  allowed: string,
): Needle[] {
  const distinct = new Map(texts.map(({ text, of }) => [text, of]));
  const pieces = new Map<string, string>();
  for (const { data: text, of, stride } of sample([...distinct].map(([data, of]) => ({ data, of })))) {
    for (let at = 0; at < text.length; at += stride) {
      const piece = text.slice(at, at + PIECE_CHARS);
      // The last piece is often short: the one that ends with the text takes its place.
      const whole = piece.length < PIECE_CHARS ? text.slice(-PIECE_CHARS) : piece;
      if (whole.trim().length >= MIN_NEEDLE_BYTES) pieces.set(whole, of);
    }
  }
  const wide = [...pieces.keys()].map((piece) => ({ bytes: Buffer.from(piece, 'utf16le'), of: piece }));
  for (const { of: piece } of findNeedles([Buffer.from(allowed, 'utf16le')], wide)) pieces.delete(piece);
  return [...pieces].flatMap(([piece, of]) => needlesOfText(piece, of));
}

/** Pieces of bytes that are no text; equal ones once. */
export function needlesOfBytes(
  blocks: readonly { readonly data: Uint8Array; readonly name: string }[],
): Needle[] {
  const needles = new Map<string, Needle>();
  for (const { data, of, stride } of sample(blocks.map(({ data, name }) => ({ data, of: name })))) {
    for (let at = 0; at + PIECE_CHARS <= data.length; at += stride) {
      const bytes = data.subarray(at, at + PIECE_CHARS);
      const key = latin1(bytes);
      if (!needles.has(key) && new Set(bytes).size >= MIN_KINDS) needles.set(key, { bytes, of });
    }
  }
  return [...needles.values()];
}

/** Of very many every second, third...; with the distance from piece to piece at which all together have few enough. */
function* sample<T extends { readonly length: number }>(
  all: readonly Named<T>[],
): Generator<Named<T> & { readonly stride: number }> {
  const length = all.reduce((sum, { data }) => sum + data.length, 0);
  const stride = PIECE_CHARS * Math.max(1, Math.ceil(length / (PIECE_CHARS * MAX_PIECES)));
  const step = Math.max(1, Math.ceil(all.length / MAX_PIECES));
  for (const [at, each] of all.entries()) if (at % step === 0) yield { ...each, stride };
}

function toAscii(text: string): string {
  return text.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Which needles lie anywhere in some blocks. */
export type NeedleSearch = (blocks: readonly Uint8Array[]) => Needle[];

/** @see openSearch */
export function findNeedles(blocks: readonly Uint8Array[], needles: readonly Needle[]): Needle[] {
  return openSearch(needles)(blocks);
}

/**
 * A search for the same needles in many blocks: what it is prepared with costs more than a small block.
 *
 * One pass over each block, whatever the number of needles: their first four bytes are looked up at every offset.
 */
export function openSearch(needles: readonly Needle[]): NeedleSearch {
  const byHead = Map.groupBy(needles, ({ bytes }) => headOf(bytes, 0));
  const mayStart = new Uint8Array(1 << 16);
  for (const head of byHead.keys()) mayStart[head >>> 16] = 1;
  return (blocks) => {
    const found = new Set<Needle>();
    for (const block of blocks) {
      for (let at = 0; at + 4 <= block.length; at++) {
        if (mayStart[((block[at] ?? 0) << 8) | (block[at + 1] ?? 0)] === 0) continue;
        for (const needle of byHead.get(headOf(block, at)) ?? [])
          if (!found.has(needle) && isAt(block, at, needle.bytes)) found.add(needle);
      }
    }
    return [...found];
  };
}

function headOf(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function isAt(block: Uint8Array, at: number, bytes: Uint8Array): boolean {
  if (at + bytes.length > block.length) return false;
  for (let i = 4; i < bytes.length; i++) if (block[at + i] !== bytes[i]) return false;
  return true;
}
