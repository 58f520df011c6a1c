import { describe, expect, test } from 'vitest';
import { writeExif } from '../../nodes/formats/exif.ts';
import { type JpegChange, readJpeg, spliceJpeg } from '../../nodes/formats/jpeg.ts';
import { exiftool } from '../peers.ts';
import { hex, makeImage, withFile } from './samples.ts';

const first = Buffer.from(await makeImage('jpeg'));
const second = Buffer.from(await makeImage('jpeg', { width: 20, height: 10 }));
const exif = writeExif({
  userComment: { text: 'cat\nSteps: 9', encoding: 'ascii' },
  ascii: new Map(),
  width: 13,
  height: 9,
});
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function segment(marker: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255]), body]);
}

/** MPF by hand: TIFF header 8, three entries 2 + 36 + 4, then two entries of 16 bytes: the TIFF block has 82 bytes. */
function makeIndex(order: 'II' | 'MM', lengthOfFirst: number, offsetOfSecond: number): Buffer {
  const block = Buffer.alloc(82);
  const u16 = (at: number, value: number): unknown =>
    order === 'II' ? block.writeUInt16LE(value, at) : block.writeUInt16BE(value, at);
  const u32 = (at: number, value: number): unknown =>
    order === 'II' ? block.writeUInt32LE(value, at) : block.writeUInt32BE(value, at);
  block.write(order, 0, 'latin1');
  u16(2, 42);
  u32(4, 8);
  u16(8, 3);
  const entry = (at: number, tag: number, type: number, count: number): void => {
    u16(at, tag);
    u16(at + 2, type);
    u32(at + 4, count);
  };
  entry(10, 0xb000, 7, 4);
  block.write('0100', 18, 'latin1');
  entry(22, 0xb001, 4, 1);
  u32(30, 2);
  entry(34, 0xb002, 7, 32);
  u32(42, 50);
  u32(50, 0x030000);
  u32(54, lengthOfFirst);
  u32(70, second.length);
  u32(74, offsetOfSecond);
  return segment(0xe2, Buffer.concat([Buffer.from('MPF\0'), block]));
}

/** SOI, segments, the index, further segments, the rest of the first picture, the second picture. */
function makeFile(order: 'II' | 'MM', before: Buffer, behind: Buffer): Uint8Array {
  const rest = first.subarray(2);
  const lengthOfFirst = 2 + before.length + 90 + behind.length + rest.length;
  const index = makeIndex(order, lengthOfFirst, 82 + behind.length + rest.length);
  return new Uint8Array(Buffer.concat([first.subarray(0, 2), before, index, behind, rest, second]));
}

/** What the index tells, found by hand: the bytes of each picture. */
function picturesOf(bytes: Uint8Array, order: 'II' | 'MM'): string[] {
  const file = Buffer.from(bytes);
  const header = file.indexOf('MPF\0', 0, 'latin1') + 4;
  const u32 = (at: number): number =>
    order === 'II' ? file.readUInt32LE(header + at) : file.readUInt32BE(header + at);
  const at = header + u32(74);
  return [hex(file.subarray(0, u32(54))), hex(file.subarray(at, at + u32(70)))];
}

const none = Buffer.alloc(0);
const oldExif = segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exif, Buffer.alloc(300)]));
const oldComment = segment(0xfe, Buffer.from('older\nSteps: 3'));
const places: [string, Buffer, Buffer][] = [
  ['nothing', none, none],
  ['EXIF before', oldExif, none],
  ['EXIF and our comment behind', none, Buffer.concat([oldExif, oldComment])],
  ['a comment of another behind', none, segment(0xfe, Buffer.from('theirs'))],
];
const changes: [string, JpegChange][] = [
  ['a comment', { comment: encode('cat\nSteps: 1') }],
  ['everything', { exif, xmp: '<x/>', comment: encode('cat\nSteps: 1') }],
  ['nothing of ours', { exif: null, xmp: null, comment: null }],
];

describe.each(['II', 'MM'] as const)('the index of further pictures, %s', (order) => {
  describe.each(places)('with %s', (_, before, behind) => {
    test.each(changes)('leads to the same picture after %s', async (__, change) => {
      const source = makeFile(order, before, behind);
      const out = spliceJpeg(source, change);
      const [own, further] = picturesOf(out, order);
      expect(further).toBe(hex(second));
      expect(own).toBe(hex(out.subarray(0, out.length - second.length)));
      expect(hex(spliceJpeg(out, change))).toBe(hex(out));
      if (!exiftool.available) return;
      const seen = await withFile(out, 'jpg', (file) => exiftool.run(['-s3', '-MPImageStart', '-a', file]));
      expect(seen.trim().split('\n')).toEqual(['0', String(out.length - second.length)]);
    });
  });
});

test('an index that cannot be read keeps its bytes', () => {
  const broken = segment(0xe2, Buffer.from('MPF\0II*\0\xff\xff\xff\xff', 'latin1'));
  const source = Buffer.concat([first.subarray(0, 2), broken, first.subarray(2)]);
  expect(Buffer.from(spliceJpeg(source, { comment: encode('Steps: 1') })).includes(broken)).toBe(true);
});

test('a second EXIF segment of another writer stays, one of ours goes', () => {
  const theirs = segment(
    0xe1,
    Buffer.concat([Buffer.from('Exif\0\0'), writeExif({ ascii: new Map([[0x13b, 'Ann']]) })]),
  );
  const source = Buffer.concat([first.subarray(0, 2), oldExif, theirs, oldExif, first.subarray(2)]);
  const out = Buffer.from(spliceJpeg(source, { exif }));
  expect(hex(readJpeg(out).exif ?? none)).toBe(hex(exif));
  expect(out.includes(theirs)).toBe(true);
  expect(out.toString('latin1').split('Exif\0\0')).toHaveLength(3);
  expect(hex(spliceJpeg(out, { exif }))).toBe(hex(out));
});
