import { latin1, latin1Bytes, startsWith, u32beBytes } from '../cursor.ts';
import { isStandardRgb } from './standard-rgb.ts';

/**
 * ICC profiles without words: only what turns samples into colours stays.
 * @see https://www.color.org/specification/ICC.1-2022-05.pdf, clauses 7 (head, tag table), 9 (tags) and 10 (types)
 */

const HEAD_BYTES = 128;
const TABLE_AT = HEAD_BYTES + 4;
const ENTRY_BYTES = 12;
/** Profiles with the most tags have some thirty. */
const MAX_TAGS = 256;
const SIGNATURE = latin1Bytes('acsp');
const SIGNATURE_AT = 36;
/** Of the head, [from, to): version, class, colour space and connection space; `acsp`; the intent, of two bits. */
const HEAD_KEPT = [
  [8, 24],
  [SIGNATURE_AT, 40],
  [67, 68],
] as const;
/** In the data of a tag, [from, to): behind its type, where nothing stands. */
const RESERVED = [4, 8] as const;
/** Before it the white of the connection space, which is D50 in every profile. */
const D50_AT = 68;
const D50 = Uint8Array.from(Buffer.from('0000f6d6000100000000d32d', 'hex'));
/** 1 January 2000, midnight: a date has to stand there. */
const DATE_AT = 24;
const DATE = Uint8Array.from(Buffer.from('07d000010001000000000000', 'hex'));

const COLOUR_TAGS = new Set([
  ...['rXYZ', 'gXYZ', 'bXYZ', 'rTRC', 'gTRC', 'bTRC', 'kTRC', 'wtpt', 'chad', 'cicp'],
  ...['A2B0', 'A2B1', 'A2B2', 'B2A0', 'B2A1', 'B2A2', 'D2B0', 'D2B1', 'D2B2', 'D2B3'],
]);
/** Every profile must have these; they stay where there is room for one that says nothing. */
const WORDS = new Map([
  ['desc', latin1Bytes(`desc\0\0\0\0\0\0\0\x01${'\0'.repeat(78)}`)],
  ['cprt', latin1Bytes('text\0\0\0\0\0')],
]);
/** Of version 4: no records, of 12 bytes each. */
const NO_RECORDS = latin1Bytes('mluc\0\0\0\0\0\0\0\0\0\0\0\x0c');
/** Types made of parts that lie anywhere in them: these are kept as they are. */
const UNREAD_TYPES = new Set(['mAB ', 'mBA ', 'mpet']);
/** A parametric curve of a kind has so many parameters. */
const PARAMETERS = [1, 3, 4, 5, 7];

type Tag = { readonly name: string; readonly offset: number; readonly length: number };

/** A profile in which nothing is left but its colours. */
export type BareProfile = {
  readonly icc: Uint8Array;
  /** Tables are in it of which nobody knows what their unused bytes are. */
  readonly isUnread?: true;
};

/**
 * Takes out of a profile all but its colours: every other byte is zero, offsets stay. Words, dates, makers, tags
 * of programs, and what lies between or behind the tags go.
 *
 * @param icc not modified
 * @returns undefined for what no reader takes for a profile; making a bare profile bare again gives the same bytes
 */
export function bareProfile(icc: Uint8Array): BareProfile | undefined {
  const tags = readTags(icc);
  if (tags === undefined) return undefined;
  const out = new Uint8Array(icc.length);
  for (const [from, to] of HEAD_KEPT) out.set(icc.subarray(from, to), from);
  out.set(DATE, DATE_AT);
  out.set(D50, D50_AT);
  const isNewer = (icc[8] ?? 0) >= 4;
  const kept: Tag[] = [];
  let end = TABLE_AT + tags.length * ENTRY_BYTES;
  for (const tag of tags) {
    const { name, offset, length } = tag;
    const data = icc.subarray(offset, offset + length);
    const word = WORDS.get(name);
    const plain = word && isNewer ? NO_RECORDS : word;
    const bare = plain ?? (COLOUR_TAGS.has(name) ? data.subarray(0, usedBytes(data)) : undefined);
    if (bare === undefined || bare.length === 0 || bare.length > length) continue;
    // A word may not write over a colour that claims the same bytes.
    if (plain && tags.some((other) => COLOUR_TAGS.has(other.name) && overlap(other, tag))) continue;
    out.set(bare, offset);
    out.fill(0, offset + RESERVED[0], offset + RESERVED[1]);
    kept.push({ name, offset, length: bare.length });
    end = Math.max(end, offset + bare.length);
  }
  if (!kept.some(({ name }) => COLOUR_TAGS.has(name))) return undefined;
  out.set(u32beBytes(kept.length), HEAD_BYTES);
  for (const [at, { name, offset, length }] of kept.entries()) {
    const entry = TABLE_AT + at * ENTRY_BYTES;
    out.set(latin1Bytes(name), entry);
    out.set(u32beBytes(offset), entry + 4);
    out.set(u32beBytes(length), entry + 8);
  }
  // Sizes are multiples of four.
  const whole = out.subarray(0, Math.min(out.length, (end + 3) & ~3));
  whole.set(u32beBytes(whole.length), 0);
  const isUnread = kept.some(
    ({ name, offset }) => COLOUR_TAGS.has(name) && UNREAD_TYPES.has(latin1(icc.subarray(offset, offset + 4))),
  );
  return isUnread ? { icc: whole, isUnread } : { icc: whole };
}

/**
 * Whether a profile says what every reader assumes of a picture without one.
 *
 * @param icc a bare profile or any other
 */
export function isStandardProfile(icc: Uint8Array): boolean {
  const tags = readTags(icc);
  if (tags === undefined || latin1(icc.subarray(16, 24)) !== 'RGB XYZ ') return false;
  const found = new Map(
    tags.map(({ name, offset, length }) => [name, icc.subarray(offset, offset + length)] as const),
  );
  if ([...found.keys()].some((name) => /^(?:A2B|D2B|cicp)/.test(name))) return false;
  return isStandardRgb(found);
}

function overlap(a: Tag, b: Tag): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

/** Undefined for what is no profile; tags that lie outside of it are left out, as readers do. */
function readTags(icc: Uint8Array): Tag[] | undefined {
  if (icc.length < TABLE_AT || !startsWith(icc, SIGNATURE, SIGNATURE_AT)) return undefined;
  const view = viewOf(icc);
  const size = Math.min(view.getUint32(0), icc.length);
  const count = view.getUint32(HEAD_BYTES);
  const start = TABLE_AT + count * ENTRY_BYTES;
  if (count > MAX_TAGS || start > size) return undefined;
  const tags: Tag[] = [];
  for (let entry = TABLE_AT; entry < start; entry += ENTRY_BYTES) {
    const tag = {
      name: latin1(icc.subarray(entry, entry + 4)),
      offset: view.getUint32(entry + 4),
      length: view.getUint32(entry + 8),
    };
    const isFirst = tags.every(({ name }) => name !== tag.name);
    if (isFirst && tag.offset >= start && tag.offset + tag.length <= size) tags.push(tag);
  }
  return tags;
}

/** How much of a tag's data its own fields account for; 0 for a type that holds no colours, or is cut off. */
function usedBytes(data: Uint8Array): number {
  if (data.length < 12) return 0;
  const view = viewOf(data);
  const type = latin1(data.subarray(0, 4));
  const used = ((): number => {
    if (type === 'XYZ ') return 20;
    if (type === 'cicp') return 12;
    if (type === 'curv') return 12 + 2 * view.getUint32(8);
    if (type === 'para') return 12 + 4 * (PARAMETERS[view.getUint16(8)] ?? Infinity);
    // The matrices of `chad`.
    if (type === 'sf32') return 8 + 4 * 9;
    if ((type === 'mft1' || type === 'mft2') && data.length >= 52) return tableBytes(view, type);
    return UNREAD_TYPES.has(type) ? data.length : 0;
  })();
  return used <= data.length ? used : 0;
}

/** channels in u8 · out u8 · grid u8 · 0 · matrix 9 x s15.16 · of mft2: entries in u16, out u16 · tables */
function tableBytes(view: DataView, type: string): number {
  const [inputs, outputs, grid] = [view.getUint8(8), view.getUint8(9), view.getUint8(10)];
  const cells = grid ** inputs * outputs;
  if (type === 'mft1') return 48 + 256 * inputs + cells + 256 * outputs;
  return 52 + 2 * (view.getUint16(48) * inputs + cells + view.getUint16(50) * outputs);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
