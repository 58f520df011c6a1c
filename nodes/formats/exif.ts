import { isLineageError } from '../kit/errors.ts';
import { concatBytes } from './assemble.ts';
import { latin1Bytes, startsWith } from './cursor.ts';
import { isInfotext } from './is-infotext.ts';
import {
  type ByteOrder,
  EXIF_IFD,
  ifdBytes,
  layOutIfds,
  type NewEntry,
  readIfd,
  readTiffHeader,
  type TiffEntry,
  type TiffIfd,
  TYPE,
  uintBytes,
} from './tiff.ts';
import {
  asciiBytes,
  makeUserComment,
  readUserComment,
  textOf,
  type UserComment,
  withoutNuls,
} from './user-comment.ts';

/** What an EXIF block says, as far as generation metadata goes. */
export type ExifContents = {
  readonly byteOrder: ByteOrder;
  /** ASCII tags of IFD0 in file order: the place where ComfyUI keeps `prompt:` and `workflow:`. */
  readonly ifd0Ascii: readonly { readonly tag: number; readonly text: string }[];
  readonly userComment?: UserComment;
  readonly make?: string;
  readonly model?: string;
};

/** What to write into an EXIF block. */
export type ExifChange = {
  /** Absent: one that holds generation parameters goes, any other stays. */
  readonly userComment?: { readonly text: string; readonly encoding: 'unicode' | 'ascii' };
  /** IFD0 tag number to text, pure ASCII without NUL. `prompt:` and `workflow:` values of the base go either way. */
  readonly ascii: ReadonlyMap<number, string>;
  /** Pixels; written where the base does not say. */
  readonly width?: number;
  readonly height?: number;
  /** For a block of our own: `uncalibrated` where the picture has an ICC profile. Default sRGB. */
  readonly colorSpace?: 'srgb' | 'uncalibrated';
  /** The block to build on: everything in it survives. Default: a new big-endian block. */
  readonly base?: Uint8Array;
};

const MAKE = 0x010f;
const MODEL = 0x0110;
const USER_COMMENT = 0x9286;
/** ImageDescription and Make; then DocumentName, PageName and HostComputer where a camera holds the first two. */
const WORKFLOW_TAGS = { prompt: 0x010e, workflow: MAKE, others: [0x010d, 0x011d, 0x013c] } as const;
const WORKFLOW_VALUE = /^(?:prompt|workflow):/i;
/** Stands before directories that we appended, so that the next writer can take them off again. */
const TAIL_MARK = latin1Bytes('lineage\0');
const HEADER_BYTES = 8;

/**
 * Tags whose values hold offsets, or point at data of a length that only their maker knows: MakerNote, GPS and
 * interoperability directories, sub-directories, strips, tiles, thumbnail, DNG private data. A block with one of
 * them is never laid out anew.
 */
const OPAQUE_TAGS = new Set([
  0x927c, 0x8825, 0xa005, 0x014a, 0x0111, 0x0117, 0x0144, 0x0145, 0x0201, 0x0202, 0xc634, 0x0190,
]);

type Base = {
  readonly order: ByteOrder;
  readonly ifd0At: number;
  readonly ifd0: TiffIfd;
  readonly exif: TiffIfd;
};

function parse(block: Uint8Array): Base {
  const { order, ifd0At } = readTiffHeader(block);
  const directory = readIfd(block, ifd0At, order);
  // An offset behind the end leads to nothing; what is appended would lie there afterwards.
  const ifd0 = directory.next < block.length ? directory : { ...directory, next: 0 };
  const pointer = ifd0.entries.find((entry) => entry.tag === EXIF_IFD);
  const exifAt =
    pointer?.value?.length === 4
      ? new DataView(pointer.value.buffer, pointer.value.byteOffset, 4)
      : undefined;
  const exif =
    exifAt === undefined
      ? { entries: [], next: 0 }
      : readIfd(block, exifAt.getUint32(0, order === 'II'), order);
  return { order, ifd0At, ifd0, exif };
}

/** The text of an ASCII entry, UTF-8 included: writers put it there. Undefined for another type. */
function asciiOf(entry: TiffEntry | undefined): string | undefined {
  return entry?.type === TYPE.ascii && entry.value !== undefined
    ? withoutNuls(textOf(entry.value))
    : undefined;
}

/**
 * Reads an EXIF block.
 *
 * @param block a TIFF structure, without `Exif\0\0`.
 * @throws LineageError `exif/malformed` where a directory does not lie inside the block; a single broken value is left out
 */
export function readExif(block: Uint8Array): ExifContents {
  const { order, ifd0, exif } = parse(block);
  const ifd0Ascii: { tag: number; text: string }[] = [];
  for (const entry of ifd0.entries) {
    const text = asciiOf(entry);
    if (text !== undefined) ifd0Ascii.push({ tag: entry.tag, text });
  }
  const comment = exif.entries.find((entry) => entry.tag === USER_COMMENT)?.value;
  const make = ifd0Ascii.find(({ tag }) => tag === MAKE)?.text;
  const model = ifd0Ascii.find(({ tag }) => tag === MODEL)?.text;
  return {
    byteOrder: order,
    ifd0Ascii,
    ...(comment === undefined ? {} : { userComment: readUserComment(comment) }),
    ...(make === undefined ? {} : { make }),
    ...(model === undefined ? {} : { model }),
  };
}

/**
 * Chooses the IFD0 tags that hold the `prompt:` and `workflow:` values: ImageDescription and Make where they are
 * empty or already ours, else another text tag, so that a camera keeps its name. Never Model (0x0110): one of the
 * popular readers crashes on anything there that is not JSON.
 *
 * @returns undefined for a value for which no tag is free.
 * @throws LineageError `exif/malformed`
 */
export function chooseWorkflowTags(base?: Uint8Array): {
  prompt: number | undefined;
  workflow: number | undefined;
} {
  const foreign = new Set<number>();
  for (const entry of base === undefined ? [] : parse(base).ifd0.entries) {
    // It goes at the next write, and must not decide otherwise than after that.
    if (isLost(entry)) continue;
    const text = asciiOf(entry);
    if (text === undefined || (text.trim() !== '' && !WORKFLOW_VALUE.test(text))) foreign.add(entry.tag);
  }
  const others = WORKFLOW_TAGS.others.filter((tag) => !foreign.has(tag));
  const choose = (tag: number): number | undefined => (foreign.has(tag) ? others.shift() : tag);
  return { prompt: choose(WORKFLOW_TAGS.prompt), workflow: choose(WORKFLOW_TAGS.workflow) };
}

/**
 * Writes an EXIF block that validates: the tags the standard demands are added where they are missing.
 *
 * A base of plain values is laid out anew. One that holds data we cannot move (MakerNote, GPS, a thumbnail...) keeps
 * every byte where it was; changed directories are appended behind it, and taken off again by the next write.
 *
 * @returns a TIFF structure without `Exif\0\0`; writing the same change onto the result gives the same bytes.
 * @throws LineageError `exif/malformed` for a broken base, `exif/not-ascii` for a value that ASCII cannot hold
 */
export function writeExif(change: ExifChange): Uint8Array {
  const base = change.base === undefined ? undefined : parse(change.base);
  const order = base?.order ?? 'MM';
  if (change.base === undefined || base === undefined || isMovable(base, change)) {
    const body = layOutIfds(
      mergeIfd0(base?.ifd0.entries ?? [], change, order, relocate),
      mergeExif(base?.exif.entries ?? [], change, order, relocate),
      { start: HEADER_BYTES, next: 0, order },
    );
    return concatBytes(tiffHeader(order, HEADER_BYTES), body);
  }
  const keptBytes = tailStart(change.base, base);
  // A value that its entry holds is written anew each time: what lies beside it there says nothing.
  const carry = (entry: TiffEntry): NewEntry =>
    entry.at < keptBytes && (entry.value?.length ?? Infinity) > 4
      ? { tag: entry.tag, raw: entry.raw }
      : relocate(entry);
  const padding = keptBytes % 2;
  const start = keptBytes + padding + TAIL_MARK.length;
  const body = layOutIfds(
    mergeIfd0(base.ifd0.entries, change, order, carry),
    mergeExif(base.exif.entries, change, order, carry),
    { start, next: base.ifd0.next, order },
  );
  const kept = change.base.subarray(HEADER_BYTES, keptBytes);
  return concatBytes(tiffHeader(order, start), kept, new Uint8Array(padding), TAIL_MARK, body);
}

/** Whether a block holds values of ours: `prompt:` and `workflow:` texts, a UserComment of generation parameters. */
export function holdsOurs(block: Uint8Array): boolean {
  try {
    const { userComment, ifd0Ascii } = readExif(block);
    return isInfotext(userComment?.text ?? '') || ifd0Ascii.some(({ text }) => WORKFLOW_VALUE.test(text));
  } catch (error) {
    if (isLineageError(error, 'exif/malformed')) return false;
    throw error;
  }
}

/**
 * Takes our values out of a block: `prompt:` and `workflow:` texts, and a UserComment of generation parameters.
 *
 * @param size of the picture, written where the block does not say it
 * @returns the rest, or undefined where nothing but what every block holds would be left.
 * @throws LineageError `exif/malformed`
 */
export function removeOurExif(
  block: Uint8Array,
  size: { readonly width?: number; readonly height?: number } = {},
): Uint8Array | undefined {
  const rest = writeExif({ ...size, ascii: new Map(), base: block });
  const { ifd0, exif } = parse(rest);
  const required = new Set(
    [...requiredIfd0('MM'), ...requiredExif({ ascii: new Map(), width: 1, height: 1 }, 'MM')].map(
      ({ tag }) => tag,
    ),
  );
  const says = [...ifd0.entries, ...exif.entries].some(({ tag }) => tag !== EXIF_IFD && !required.has(tag));
  return says || ifd0.next !== 0 ? rest : undefined;
}

/**
 * Whether every value that stays may get a new place: nothing in the block depends on where it lies. What goes has no
 * say: a second write, which does not find it any more, would decide otherwise.
 */
function isMovable({ ifd0, exif }: Base, change: ExifChange): boolean {
  const isPlain = ({ value, type, tag }: TiffEntry): boolean =>
    value !== undefined && type !== 13 && !OPAQUE_TAGS.has(tag);
  // Nothing is chained behind the EXIF directory; piexif leaves its next-IFD field out, so that value bytes stand there.
  return (
    ifd0.next === 0 &&
    ifd0.entries.filter((entry) => staysInIfd0(entry, change)).every(isPlain) &&
    exif.entries.filter((entry) => staysInExif(entry, change)).every(isPlain)
  );
}

/**
 * Where the part that an earlier write appended begins; the whole length where there is none, or where another program
 * put something into it: only one that its directories and their values fill to the last byte is ours.
 */
function tailStart(block: Uint8Array, { order, ifd0At, ifd0, exif }: Base): number {
  const markAt = ifd0At - TAIL_MARK.length;
  if (markAt < HEADER_BYTES || !startsWith(block, TAIL_MARK, markAt)) return block.length;
  const exifAt = ifd0At + ifdBytes(ifd0.entries.length);
  const pointer = ifd0.entries.find(({ tag }) => tag === EXIF_IFD)?.value;
  if (pointer === undefined || !startsWith(pointer, uintBytes(exifAt, 4, order))) return block.length;
  const values = [...ifd0.entries, ...exif.entries].flatMap(
    ({ at, value = new Uint8Array(0), type, tag }) => {
      const isOurs = value.length > 4 && at >= markAt && type !== 13 && !OPAQUE_TAGS.has(tag);
      return isOurs ? [{ at, end: at + value.length + (value.length % 2) }] : [];
    },
  );
  let filledTo = exifAt + ifdBytes(exif.entries.length);
  for (const { at, end } of values.toSorted((a, b) => a.at - b.at)) {
    if (at !== filledTo) return block.length;
    filledTo = end;
  }
  return filledTo === block.length ? markAt : block.length;
}

/** Whether the value lies outside the block. What is appended would lie there afterwards, and be taken for the value. */
function isLost({ type, value }: TiffEntry): boolean {
  return value === undefined && type >= 1 && type <= 12;
}

/** An entry with its value, to be laid out anew; one without a readable value keeps its bytes. */
function relocate(entry: TiffEntry): NewEntry {
  const { tag, type, count, value, raw } = entry;
  return value === undefined ? { tag, raw } : { tag, type, count, value };
}

function staysInIfd0(entry: TiffEntry, change: ExifChange): boolean {
  return (
    !isLost(entry) &&
    entry.tag !== EXIF_IFD &&
    !change.ascii.has(entry.tag) &&
    !WORKFLOW_VALUE.test(asciiOf(entry) ?? '')
  );
}

function staysInExif(entry: TiffEntry, change: ExifChange): boolean {
  const isReplaced =
    entry.tag === USER_COMMENT &&
    (change.userComment !== undefined ||
      (entry.value !== undefined && isInfotext(readUserComment(entry.value).text)));
  return !isLost(entry) && !isReplaced;
}

function mergeIfd0(
  entries: readonly TiffEntry[],
  change: ExifChange,
  order: ByteOrder,
  carry: (entry: TiffEntry) => NewEntry,
): NewEntry[] {
  const kept = entries.filter((entry) => staysInIfd0(entry, change));
  const ours = [...change.ascii].map(([tag, text]) => asciiEntry(tag, text));
  return addMissing([...kept.map(carry), ...ours], requiredIfd0(order));
}

function mergeExif(
  entries: readonly TiffEntry[],
  change: ExifChange,
  order: ByteOrder,
  carry: (entry: TiffEntry) => NewEntry,
): NewEntry[] {
  const kept = entries.filter((entry) => staysInExif(entry, change)).map(carry);
  if (change.userComment !== undefined) {
    const value = makeUserComment(change.userComment.text, change.userComment.encoding);
    kept.push({ tag: USER_COMMENT, type: TYPE.undefined, count: value.length, value });
  }
  return addMissing(kept, requiredExif(change, order));
}

/** The entries, and those of `required` whose tag is not there yet. */
function addMissing(entries: readonly NewEntry[], required: readonly NewEntry[]): NewEntry[] {
  const present = new Set(entries.map(({ tag }) => tag));
  return [...entries, ...required.filter(({ tag }) => !present.has(tag))];
}

/** XResolution and YResolution 72, ResolutionUnit inch, YCbCrPositioning centred. @see Exif 3.0, table 4 */
function requiredIfd0(order: ByteOrder): NewEntry[] {
  const dpi = concatBytes(uintBytes(72, 4, order), uintBytes(1, 4, order));
  return [
    { tag: 0x011a, type: TYPE.rational, count: 1, value: dpi },
    { tag: 0x011b, type: TYPE.rational, count: 1, value: dpi },
    shortEntry(0x0128, 2, order),
    shortEntry(0x0213, 1, order),
  ];
}

/** ExifVersion, ComponentsConfiguration YCbCr, FlashpixVersion, ColorSpace and the sides in pixels. */
function requiredExif(change: ExifChange, order: ByteOrder): NewEntry[] {
  const required: NewEntry[] = [
    { tag: 0x9000, type: TYPE.undefined, count: 4, value: latin1Bytes('0232') },
    { tag: 0x9101, type: TYPE.undefined, count: 4, value: Uint8Array.of(1, 2, 3, 0) },
    { tag: 0xa000, type: TYPE.undefined, count: 4, value: latin1Bytes('0100') },
    shortEntry(0xa001, change.colorSpace === 'uncalibrated' ? 0xffff : 1, order),
  ];
  if (change.width !== undefined) required.push(longEntry(0xa002, change.width, order));
  if (change.height !== undefined) required.push(longEntry(0xa003, change.height, order));
  return required;
}

function asciiEntry(tag: number, text: string): NewEntry {
  const value = concatBytes(asciiBytes(text), new Uint8Array(1));
  return { tag, type: TYPE.ascii, count: value.length, value };
}

function shortEntry(tag: number, value: number, order: ByteOrder): NewEntry {
  return { tag, type: TYPE.short, count: 1, value: uintBytes(value, 2, order) };
}

function longEntry(tag: number, value: number, order: ByteOrder): NewEntry {
  return { tag, type: TYPE.long, count: 1, value: uintBytes(value, 4, order) };
}

/** byte order · 42 u16 · offset of IFD0 u32 */
function tiffHeader(order: ByteOrder, ifd0At: number): Uint8Array {
  return concatBytes(latin1Bytes(order), uintBytes(42, 2, order), uintBytes(ifd0At, 4, order));
}
