import { joinBytes } from '../assemble.ts';
import { isFrame } from '../jpeg.ts';
import {
  type HuffmanTable,
  huffmanBytes,
  isStandardHuffman,
  readHuffman,
  VALUES_AT,
} from './jpeg-huffman.ts';
import {
  MAX_BLOCK_VISITS,
  readFrame,
  readScan,
  type Scan,
  type ScanComponent,
  type ScanFrame,
} from './jpeg-scan.ts';
import type { Part } from './part.ts';
import type { Range } from './range.ts';

/**
 * Which tables and which bytes of its scans a JPEG is decoded with, by the rules of libjpeg: a quantisation table counts
 * from the first scan of a component on, a Huffman table for scans that use it.
 */

const MARKER = { huffman: 0xc4, quantisation: 0xdb, restart: 0xdd, scan: 0xda } as const;

/** A table of a segment: [from, to) of its data. */
type Table = {
  readonly part: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
  isUsed: boolean;
  huffman?: HuffmanTable | undefined;
  /** Not all scans that use it were followed, so nobody knows its unused codes. */
  isUncertain: boolean;
};

/** Marks what no decoder reads of tables and scans. @param parts changed in place; data of scans follow their header */
export function markUnusedCoding(parts: Part[], bytes: Uint8Array): void {
  const tables: Table[] = [];
  const current = new Map<string, Table>();
  const begun = new Set<ScanComponent>();
  const visits = { left: MAX_BLOCK_VISITS };
  const pieces: { readonly at: number; readonly with: readonly Part[] }[] = [];
  let frame: ScanFrame | undefined;
  let hasFrame = false;
  for (const [at, part] of parts.entries()) {
    const { marker, data, role } = part;
    if (role !== 'pixels') continue;
    const found = tablesOf(part, at);
    for (const { key, table } of found) current.set(key, table);
    tables.push(...found.map(({ table }) => table));
    if (marker !== undefined && isFrame(marker)) {
      if (hasFrame) parts[at] = { ...part, role: 'other' };
      else frame = readFrame(marker, data);
      hasFrame = true;
    }
    if (marker !== MARKER.scan) continue;
    const scan = frame && readHeader(data, frame, current, begun);
    if (!scan || !frame) for (const table of current.values()) markUncertain(table);
    const coded = parts[at + 1];
    if (coded?.name !== 'scan') continue;
    const ranges = frame && scan && readScan(bytes, coded.start, frame, scan, visits);
    if (ranges) pieces.push({ at: at + 1, with: piecesOf(coded, ranges, bytes) });
    else {
      parts[at + 1] = { ...coded, isUnread: true };
      for (const table of current.values()) markUncertain(table);
      // What comes after builds upon it.
      if (frame?.isProgressive) frame = undefined;
    }
  }
  for (const [at, own] of Map.groupBy(tables, ({ part }) => part)) {
    const part = parts[at];
    if (part) parts[at] = withUsed(part, own);
  }
  for (const { at, with: fresh } of pieces.toReversed()) parts.splice(at, 1, ...fresh);
}

function markUncertain(table: Table): void {
  table.isUsed = true;
  table.isUncertain = true;
}

function tablesOf({ marker, data }: Part, part: number): { readonly key: string; readonly table: Table }[] {
  const one = (key: string, from: number, to: number): { key: string; table: Table } => ({
    key,
    table: { part, from, to, bytes: data.subarray(from, to), isUsed: false, isUncertain: false },
  });
  if (marker === MARKER.restart) return data.length < 2 ? [] : [one('restart', 0, 2)];
  const found: { key: string; table: Table }[] = [];
  const isHuffman = marker === MARKER.huffman;
  if (!isHuffman && marker !== MARKER.quantisation) return found;
  for (let at = 0; at < data.length; ) {
    const length = isHuffman ? huffmanBytes(data, at) : quantisationBytes(data, at);
    if (length === undefined) break;
    const head = data[at] ?? 0;
    found.push(one(isHuffman ? `huffman ${head}` : `quantisation ${head & 15}`, at, at + length));
    at += length;
  }
  return found;
}

/** Precision and number in a byte, then 64 values of one or two bytes. */
function quantisationBytes(data: Uint8Array, at: number): number | undefined {
  const head = data[at] ?? 0xff;
  const length = 1 + (head >> 4 === 0 ? 64 : 128);
  return head >> 4 > 1 || (head & 15) > 3 || at + length > data.length ? undefined : length;
}

/** components u8 · each: id u8 · DC table u4 · AC table u4 · first u8 · last u8 · high bit u4 · low bit u4 */
function readHeader(
  data: Uint8Array,
  frame: ScanFrame,
  current: ReadonlyMap<string, Table>,
  begun: Set<ScanComponent>,
): Scan | undefined {
  const count = data[0] ?? 0;
  if (data.length < 4 + 2 * count) return undefined;
  const [first = 0, last = 0, bits = 0] = data.subarray(1 + 2 * count);
  const isRefined = frame.isProgressive && bits >> 4 > 0;
  const use = (key: string): Table | undefined => {
    const table = current.get(key);
    if (table) table.isUsed = true;
    return table;
  };
  const components = [];
  for (let at = 0; at < count; at++) {
    const [id, numbers = 0] = data.subarray(1 + 2 * at, 3 + 2 * at);
    const component = frame.components.find((each) => each.id === id);
    if (component === undefined) return undefined;
    if (!begun.has(component)) use(`quantisation ${component.quantisation}`);
    begun.add(component);
    const needsDc = !frame.isProgressive || (first === 0 && !isRefined);
    const needsAc = !frame.isProgressive || first > 0;
    const dc = needsDc ? huffmanOf(use(`huffman ${numbers >> 4}`)) : undefined;
    const ac = needsAc ? huffmanOf(use(`huffman ${16 + (numbers & 15)}`)) : undefined;
    components.push({ component, dc, ac });
  }
  const restart = use('restart');
  const restartInterval = restart ? ((restart.bytes[0] ?? 0) << 8) | (restart.bytes[1] ?? 0) : 0;
  return { components, first, last: Math.min(last, 63), isRefined, restartInterval };
}

function huffmanOf(table: Table | undefined): HuffmanTable | undefined {
  if (table) table.huffman ??= readHuffman(table.bytes);
  return table?.huffman;
}

/** The coded data as parts of their own, and what stands between them as others. */
function piecesOf(coded: Part, ranges: readonly Range[], bytes: Uint8Array): Part[] {
  const pieces: Part[] = [];
  const add = (start: number, end: number, isCoded: boolean): void => {
    if (start >= end) return;
    const before = pieces.at(-1);
    const from = before && isCoded && before.role === 'pixels' ? before.start : start;
    if (from < start) pieces.pop();
    const data = bytes.subarray(from, end);
    const kind = isCoded
      ? { name: coded.name, role: coded.role }
      : { name: BEHIND_A_SCAN, role: 'other' as const };
    pieces.push({ ...kind, start: from, end, data });
  };
  let at = coded.start;
  for (const { from, to } of ranges) {
    add(at, from, false);
    add(from, to, true);
    at = to;
  }
  add(at, coded.end, false);
  return pieces;
}

/** What stands between coded data and the next marker. */
const BEHIND_A_SCAN = 'bytes behind a scan';

/** The segment of those tables that are used, in which codes that are not say nothing. */
function withUsed(part: Part, own: readonly Table[]): Part {
  const used = own.filter(({ isUsed }) => isUsed);
  if (used.length === 0) return { ...part, role: 'other' };
  const bare = joinBytes(used.map(bareTable));
  return Buffer.compare(bare, part.data) === 0 ? part : { ...part, bare };
}

function bareTable({ bytes, huffman, isUncertain }: Table): Uint8Array {
  if (huffman === undefined || isUncertain || isStandardHuffman(bytes)) return bytes;
  if (huffman.used.every((each) => each === 1)) return bytes;
  const bare = Uint8Array.from(bytes);
  for (const [at, isMet] of huffman.used.entries()) if (isMet === 0) bare[VALUES_AT + at] = 0;
  return bare;
}
