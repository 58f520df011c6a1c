import { crc32, deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createPartLister } from '../../../nodes/formats/parts/list-parts.ts';

/** length u32 · type · data · CRC u32. @see https://www.w3.org/TR/png-3/#5Chunk-layout */
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

test('pixels in two hundred thousand chunks are as many parts', () => {
  const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0]);
  const empty = chunk('IDAT', new Uint8Array(0));
  const png = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    // Eight rows of a filter byte and eight pixels.
    chunk('IDAT', deflateSync(new Uint8Array(8 * 25))),
    ...Array.from({ length: 200_000 }, () => empty),
    chunk('IEND', new Uint8Array(0)),
  ]);
  const pixels = createPartLister()(png, 'png').filter(({ name }) => name === 'IDAT');
  expect(pixels).toHaveLength(200_001);
  expect(pixels.some(({ isUnread }) => isUnread)).toBe(false);
});
