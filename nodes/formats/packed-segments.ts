import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { LineageError } from '../kit/errors.ts';
import { concatBytes, joinBytes } from './assemble.ts';
import { latin1Bytes, startsWith, u8, u16be, u16beBytes, u32be, u32beBytes } from './cursor.ts';

/**
 * Data that one segment of a JPEG has no room for: compressed, and spread over as many APP11 segments as it takes. Each
 * holds a JUMBF box of its own, of the type that the standard has for private data, so that no program takes it for
 * anything else, or for damage.
 *
 * A segment's data: `JP` · box instance u16 = 0x4C00 + number · packet u32 = 1 · superbox `jumb` of a description `jumd`
 * (type UUID, toggles 0) and a box `uuid`, which holds the UUID below and then: version u8 = 1 · number u16 from 0 ·
 * segments u16 · bytes u32 before compression · SHA-256 of these bytes (32) · a part of one zlib stream. Numbers are
 * big-endian. The segments may stand in any order, and all of them hold the same sums.
 *
 * @see ISO/IEC 19566-5, annex B.5 (UUID content type) and annex D (JPEG-1 embedding)
 */
const OUR_UUID = Uint8Array.from(Buffer.from('b1e9f0c46a524e0e9d637c1f0a4d2e85', 'hex'));
const UUID_CONTENT = Uint8Array.from(Buffer.from('7575696400110010800000aa00389b71', 'hex'));
const JUMBF = latin1Bytes('JP');
const FIRST_INSTANCE = 0x4c00;
const VERSION = 1;
const AT = {
  box: 8,
  uuid: 49,
  version: 65,
  number: 66,
  count: 68,
  bytes: 70,
  sha256: 74,
  part: 106,
} as const;
/** 65,535 bytes of a segment with its marker and length, less the head above. */
const PART_BYTES = 0xffff - 4 - AT.part;
/** 16 MiB. The longest workflows met are about 2 MiB before they are compressed. */
const MAX_SEGMENTS = 256;
const MAX_BYTES = 16 * 1024 * 1024;

/** Whether an APP11 segment's data are a part of such a block, in whatever version. */
export function isPackedSegment(data: Uint8Array): boolean {
  return startsWith(data, JUMBF) && startsWith(data, OUR_UUID, AT.uuid);
}

/**
 * The data of the segments that hold these bytes; undefined where they are too many. The same bytes give the same
 * segments.
 */
export function packSegments(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  const stream = deflateSync(bytes, { level: 9 });
  const count = Math.ceil(stream.length / PART_BYTES);
  if (count > MAX_SEGMENTS) return undefined;
  const sha256 = createHash('sha256').update(bytes).digest();
  return Array.from({ length: count }, (_, number) => {
    const part = stream.subarray(number * PART_BYTES, (number + 1) * PART_BYTES);
    const sums = [u16beBytes(number), u16beBytes(count), u32beBytes(bytes.length), sha256];
    return jumbfPacket(FIRST_INSTANCE + number, [OUR_UUID, Uint8Array.of(VERSION), ...sums, part]);
  });
}

function jumbfPacket(instance: number, content: readonly Uint8Array[]): Uint8Array {
  const description = makeBox('jumd', [UUID_CONTENT, Uint8Array.of(0)]);
  const superbox = makeBox('jumb', [description, makeBox('uuid', content)]);
  return concatBytes(JUMBF, u16beBytes(instance), u32beBytes(1), superbox);
}

/** length u32 (itself included) · type · content */
function makeBox(type: string, content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce<number>((sum, part) => sum + part.length, AT.box);
  return concatBytes(u32beBytes(length), latin1Bytes(type), ...content);
}

/** What the segments held, and the hash it was checked against: SHA-256, 64 hex digits. */
type Unpacked = { readonly bytes: Uint8Array; readonly sha256: string };

/**
 * Puts the segments together and checks the result against its hash.
 *
 * @param segments data of all segments of one file that `isPackedSegment` takes, in any order
 * @throws LineageError `jpeg/packed` where one is missing, doubled, damaged or of a later version
 */
export function unpackSegments(segments: readonly Uint8Array[]): Unpacked {
  const [first = new Uint8Array()] = segments;
  const count = u16be(first, AT.count, 'jpeg/packed');
  const declared = u32be(first, AT.bytes, 'jpeg/packed');
  if (segments.length !== count || count > MAX_SEGMENTS)
    throw damaged(`expected ${count} segments of at most ${MAX_SEGMENTS}, got ${segments.length}`);
  if (declared > MAX_BYTES) throw damaged(`expected at most ${MAX_BYTES} bytes, got ${declared}`);
  const parts: Uint8Array[] = [];
  for (const segment of segments) {
    const version = u8(segment, AT.version, 'jpeg/packed');
    if (version !== VERSION) throw damaged(`expected version ${VERSION}, got ${version}`);
    if (!hasSameBytes(segment, first, AT.count, AT.part))
      throw damaged('expected segments of one block, got two');
    const number = u16be(segment, AT.number, 'jpeg/packed');
    if (number >= count || parts[number]) throw damaged(`expected each segment once, got number ${number}`);
    parts[number] = segment.subarray(AT.part);
  }
  const bytes = inflate(joinBytes(parts), declared);
  const sha256 = createHash('sha256').update(bytes).digest();
  if (!sha256.equals(first.subarray(AT.sha256, AT.part)))
    throw damaged('expected the bytes that the hash was made of, got others');
  return { bytes, sha256: sha256.toString('hex') };
}

/** @param declared never more are made, whatever the stream says */
function inflate(stream: Uint8Array, declared: number): Uint8Array {
  try {
    const bytes = inflateSync(stream, { maxOutputLength: Math.max(1, declared) });
    if (bytes.length === declared) return new Uint8Array(bytes.buffer, bytes.byteOffset, declared);
  } catch (error) {
    // zlib's own words for a broken stream, or for one that goes on.
    throw damaged(`expected a zlib stream of ${declared} bytes, got a damaged one`, error);
  }
  throw damaged(`expected a zlib stream of ${declared} bytes, got another`);
}

function hasSameBytes(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  return a.length >= to && Buffer.compare(a.subarray(from, to), b.subarray(from, to)) === 0;
}

function damaged(message: string, cause?: unknown): LineageError {
  return new LineageError('jpeg/packed', message, {}, { cause });
}
