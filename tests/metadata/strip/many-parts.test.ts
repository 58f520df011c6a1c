import { crc32, deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { StripProfile } from '../../../nodes/metadata/strip/profiles.ts';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { makeImage } from '../../formats/samples.ts';

const PROFILES: readonly StripProfile[] = ['public', 'client', 'archive'];
const PARTS = 20_000;
const MAX_CPU_MS = 2_000;
/** Signature and IHDR. */
const PNG_HEAD_BYTES = 33;

/** length u32 · type · data · CRC-32 u32 */
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** FF · marker · length u16 · data */
function segment(marker: number, data: Uint8Array): Buffer {
  const length = data.length + 2;
  return Buffer.concat([Uint8Array.of(0xff, marker, length >> 8, length & 255), data]);
}

const zTXt = Buffer.concat([Buffer.from('a\0\0'), deflateSync('hello')]);
const huffman = Buffer.concat([Uint8Array.of(0, 1), Buffer.alloc(15), Uint8Array.of(7)]);

test.each([
  ['png', 'texts', chunk('tEXt', Buffer.from('a\0b'))],
  ['png', 'compressed texts', chunk('zTXt', zTXt)],
  ['png', 'XMP packets', chunk('iTXt', Buffer.from('XML:com.adobe.xmp\0\0\0\0\0<x/>'))],
  ['png', 'unknown chunks', chunk('quCk', Buffer.from('a'))],
  ['png', 'palettes', chunk('PLTE', Buffer.alloc(3))],
  ['jpeg', 'comments', segment(0xfe, Buffer.from('a'))],
  ['jpeg', 'Huffman tables', segment(0xc4, huffman)],
  ['jpeg', 'restart intervals', segment(0xdd, Buffer.alloc(2))],
] as const)('a %s of twenty thousand %s takes no longer than its bytes do', async (format, _, part) => {
  const bytes = await makeImage(format);
  const head = format === 'png' ? PNG_HEAD_BYTES : 2;
  const parts = Array.from({ length: PARTS }, () => part);
  const picture = Buffer.concat([bytes.subarray(0, head), ...parts, bytes.subarray(head)]);
  for (const profile of PROFILES) {
    const start = process.cpuUsage();
    stripPicture(picture, profile, () => undefined);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1_000).toBeLessThan(MAX_CPU_MS);
  }
});
