import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import type { ByteDelta } from '../../nodes/formats/byte-delta.ts';

/** One state of a file. */
type FileState = {
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
};

/** How to make a file again that was tagged: `before` comes from `after` by the delta. */
export type UndoEntry = ByteDelta & {
  /** Its absolute, real path. */
  readonly file: string;
  /** Times in nanoseconds since 1970. */
  readonly before: FileState & { readonly mtimeNs: bigint; readonly atimeNs: bigint };
  readonly after: FileState;
};

/** An entry as it is read: what was kept stays packed until the file is known to be the one that it belongs to. */
export type PackedEntry = Omit<UndoEntry, 'kept'> & {
  /** Undefined where it is torn, or not as long as the parts say. */
  readonly unpack: () => Uint8Array | undefined;
};

/** What a journal begins with. */
export type JournalHead = {
  /** Real paths: nothing outside of them is ever restored. */
  readonly folders: readonly string[];
};

const VERSION = 1;
/** A text of V8 holds little more, and no picture has so much beside its pixels. */
export const LINE_BYTES_MAX = 256 * 1024 * 1024;
/** Of one entry; pictures that were tagged have a handful. */
export const PARTS_MAX = 1 << 18;
/** Two a part, and what a path of the longest kind may hold. */
const COMMAS_MAX = 2 * PARTS_MAX + (1 << 16);

const headSchema = z.object({ lineage: z.literal('undo'), version: z.int(), folders: z.array(z.string()) });

const count = z.int().min(0);
const nanoseconds = z.string().regex(/^-?\d{1,30}$/);
const state = { bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) };
const entrySchema = z.object({
  file: z.string(),
  before: z.object({ ...state, mtimeNs: nanoseconds, atimeNs: nanoseconds }),
  after: z.object(state),
  parts: z.array(z.union([z.tuple([count, count]), count])).max(PARTS_MAX),
  kept: z.string(),
});

/** The first line of a journal. */
export function formatHead({ folders }: JournalHead): string {
  return `${JSON.stringify({ lineage: 'undo', version: VERSION, folders })}\n`;
}

/** One line: what is kept is packed (raw deflate, base64), since graphs shrink to a fifth and less. */
export function formatEntry({ file, before, after, parts, kept }: UndoEntry): string {
  const times = { mtimeNs: String(before.mtimeNs), atimeNs: String(before.atimeNs) };
  const packed = deflateRawSync(kept).toString('base64');
  return `${JSON.stringify({ file, before: { ...before, ...times }, after, parts, kept: packed })}\n`;
}

/** Undefined where it is no head of a journal. A `version` that is not ours is for the caller to refuse. */
export function parseHead(line: string): (JournalHead & { readonly isOurs: boolean }) | undefined {
  const head = headSchema.safeParse(parseJson(line)).data;
  return head && { folders: head.folders, isOurs: head.version === VERSION };
}

/**
 * Undefined where it is no entry, or one whose parts do not make a file as long as it promises. A line costs no more
 * than a few times its own length: a small one may unpack to gigabytes, so that is left to `unpack`.
 */
export function parseEntry(line: string): PackedEntry | undefined {
  if (holdsMoreCommas(line, COMMAS_MAX)) return undefined;
  const read = entrySchema.safeParse(parseJson(line)).data;
  if (!read) return undefined;
  const { parts } = read;
  let [copied, wanted] = [0, 0];
  for (const part of parts) {
    if (typeof part === 'number') wanted += part;
    else copied += part[1];
  }
  if (copied + wanted !== read.before.bytes) return undefined;
  const unpack = (): Uint8Array | undefined => unpackExactly(read.kept, wanted);
  const { mtimeNs, atimeNs, ...before } = read.before;
  const times = { mtimeNs: BigInt(mtimeNs), atimeNs: BigInt(atimeNs) };
  return { file: read.file, before: { ...before, ...times }, after: read.after, parts, unpack };
}

/** Before it is parsed: a list of many small parts takes a hundred times its length. */
function holdsMoreCommas(line: string, most: number): boolean {
  let commas = 0;
  for (let at = line.indexOf(','); at >= 0; at = line.indexOf(',', at + 1)) if (++commas > most) return true;
  return false;
}

function unpackExactly(packed: string, bytes: number): Uint8Array | undefined {
  try {
    // In one block of its length, since many small ones would have to be copied together.
    const size = { maxOutputLength: Math.max(1, bytes), chunkSize: bytes + 64 };
    const kept = inflateRawSync(Buffer.from(packed, 'base64'), size);
    return kept.length === bytes ? kept : undefined;
  } catch {
    // Torn or changed: the entry is reported as one that does not give the file.
    return undefined;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
