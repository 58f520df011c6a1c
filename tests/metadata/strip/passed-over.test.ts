import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { expectSamePixels, makeImage } from '../../formats/samples.ts';

const NOTE = Buffer.from('written where decoders pass over it');

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

test.each(['gAMA', 'sRGB', 'sBIT', 'cLLI'])('a %s that is too long goes', async (type) => {
  const png = await makeImage('png');
  const body = Buffer.concat([Buffer.from(type), NOTE]);
  const chunk = Buffer.concat([u32(NOTE.length), body, u32(crc32(body))]);
  // Behind the signature (8) and IHDR (25).
  const noted = Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
  const { bytes } = stripPicture(noted, 'public', () => {});
  expect(Buffer.from(bytes).includes(NOTE)).toBe(false);
  await expectSamePixels(bytes, png);
});

test.each([0xdc, 0xf0, 0xfd])('a JPEG segment that no decoder reads goes, marker %i', async (marker) => {
  const jpeg = await makeImage('jpeg');
  const segment = Buffer.concat([Buffer.from([0xff, marker, 0, NOTE.length + 2]), NOTE]);
  const noted = Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
  const { bytes } = stripPicture(noted, 'public', () => {});
  expect(Buffer.from(bytes).includes(NOTE)).toBe(false);
  await expectSamePixels(bytes, jpeg);
});
