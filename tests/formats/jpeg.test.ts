import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { writeExif } from '../../nodes/formats/exif.ts';
import {
  commentSegmentBytes,
  exifSegmentBytes,
  readJpeg,
  spliceJpeg,
  xmpSegmentBytes,
} from '../../nodes/formats/jpeg.ts';
import { exiftool, findingsOf, pillow } from '../peers.ts';
import { app11, MANIFEST_STORE } from './manifest-store.ts';
import { expectSamePixels, expectTypedFailures, failsAsTyped, hex, makeImage, withFile } from './samples.ts';

const picture = await makeImage('jpeg');
const CODES = ['jpeg/malformed'] as const;
const exif = writeExif({
  userComment: { text: 'cat\nSteps: 9', encoding: 'ascii' },
  ascii: new Map(),
  width: 13,
  height: 9,
});
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A segment by hand: FF, marker, length with itself, data. */
function segment(marker: number, data: string | Uint8Array): Buffer {
  const body = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  return Buffer.concat([Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255]), body]);
}

/** SOI, these segments, then the rest of the picture. */
function withSegments(...segments: readonly Buffer[]): Uint8Array {
  return new Uint8Array(Buffer.concat([picture.subarray(0, 2), ...segments, picture.subarray(2)]));
}

/** Markers and the first letters of every segment up to the scan. */
function outline(bytes: Uint8Array): string[] {
  const file = Buffer.from(bytes);
  const found: string[] = [];
  for (let at = 2; file[at + 1] !== 0xda; at += 2 + file.readUInt16BE(at + 2)) {
    found.push(
      `${(file[at + 1] ?? 0).toString(16)} ${file.toString('latin1', at + 4, at + 8).replace(/[^\w:/]/g, '')}`.trim(),
    );
  }
  return found;
}

const jfif = segment(0xe0, 'JFIF\0\x01\x01\0\0\x01\0\x01\0\0');

describe('spliceJpeg', () => {
  test('EXIF stands behind SOI, or behind JFIF; then XMP; the comment behind other comments', () => {
    const change = { exif, xmp: '<x/>', comment: encode('cat\nSteps: 9') };
    expect(outline(spliceJpeg(picture, change)).slice(0, 3)).toEqual(['e1 Exif', 'e1 http', 'fe cat']);
    const source = withSegments(
      jfif,
      segment(0xe2, 'ICC_PROFILE\0\x01\x01x'),
      segment(0xfe, 'made by me'),
      segment(0xed, 'Photoshop'),
    );
    expect(outline(spliceJpeg(source, change)).slice(0, 7)).toEqual([
      'e0 JFIF',
      'e1 Exif',
      'e1 http',
      'e2 ICC_',
      'fe made',
      'fe cat',
      'ed Phot',
    ]);
    expect(readJpeg(spliceJpeg(source, change))).toMatchObject({
      width: 13,
      height: 9,
      exif,
      xmp: '<x/>',
      hasIcc: true,
      hasC2pa: false,
    });
  });

  test('old EXIF, XMP and our comments are replaced; everything else stays, extended XMP and C2PA included', async () => {
    const kept = [
      segment(0xe1, 'http://ns.adobe.com/xmp/extension/\0rest'),
      segment(0xeb, app11(MANIFEST_STORE)),
    ];
    const source = withSegments(
      segment(0xe1, 'Exif\0\0MM'),
      segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0<old/>'),
      ...kept,
      segment(0xfe, 'x\nSteps: 1'),
      segment(0xfe, 'theirs'),
    );
    const out = Buffer.from(spliceJpeg(source, { exif, xmp: '<new/>', comment: encode('Steps: 2') }));
    const seen = readJpeg(out);
    expect([hex(seen.exif ?? encode('')), seen.xmp, seen.hasC2pa]).toEqual([hex(exif), '<new/>', true]);
    expect(seen.comments.map((comment) => Buffer.from(comment).toString())).toEqual(['theirs', 'Steps: 2']);
    for (const part of kept) expect(out.includes(part)).toBe(true);
    expect(hex(spliceJpeg(out, { exif: null, xmp: null, comment: null }))).toBe(
      hex(withSegments(...kept, segment(0xfe, 'theirs'))),
    );
    await expectSamePixels(out, picture);
  });

  test('no change gives the same bytes, fill bytes and trailing data included', () => {
    const source = Buffer.concat([
      picture.subarray(0, 2),
      Buffer.from([0xff]),
      segment(0xfe, 'a'),
      picture.subarray(2),
      Buffer.from('trailer'),
    ]);
    expect(hex(spliceJpeg(source, {}))).toBe(hex(source));
  });

  test('a segment holds 65,535 bytes with its marker, and not one more', () => {
    // marker 2 + length 2 + 'Exif\0\0' 6
    const largest = new Uint8Array(65_535 - 10);
    expect(exifSegmentBytes(largest)).toBe(65_535);
    expect(readJpeg(spliceJpeg(picture, { exif: largest })).exif).toHaveLength(65_525);
    const tooLarge = expect.objectContaining({ code: 'jpeg/segment-too-large' });
    expect(() => spliceJpeg(picture, { exif: new Uint8Array(65_526) })).toThrow(tooLarge);
    expect(() => spliceJpeg(picture, { comment: new Uint8Array(65_532) })).toThrow(tooLarge);
    expect(() => spliceJpeg(picture, { xmp: 'x'.repeat(65_536) })).toThrow(tooLarge);
  });

  test('the sizes that are told are the sizes that are written', () => {
    const grown = (change: Parameters<typeof spliceJpeg>[1]): number =>
      spliceJpeg(picture, change).length - picture.length;
    expect(grown({ exif })).toBe(exifSegmentBytes(exif));
    expect(grown({ comment: encode('abc') })).toBe(commentSegmentBytes(encode('abc')));
    expect(grown({ xmp: '<é/>' })).toBe(xmpSegmentBytes('<é/>'));
  });

  test('progressive files and files with restart markers keep their scans', async () => {
    const progressive = new Uint8Array(await sharp(picture).jpeg({ progressive: true }).toBuffer());
    const out = spliceJpeg(progressive, { exif, comment: encode('Steps: 1') });
    await expectSamePixels(out, progressive);
    expect(Buffer.from(out).subarray(-300).equals(progressive.subarray(-300))).toBe(true);
  });
});

describe('readJpeg', () => {
  test('fails as typed on every truncation', () => {
    const out = spliceJpeg(picture, { exif, xmp: '<x/>' });
    expect(expectTypedFailures(out, readJpeg, CODES)).toBe(out.length);
    expect(expectTypedFailures(out, (part) => spliceJpeg(part, { exif }), CODES)).toBe(out.length);
  });

  test.each([
    ['a length below 2', Buffer.from('ffd8ffe00001ffd9', 'hex')],
    ['no frame', Buffer.concat([Buffer.from('ffd8', 'hex'), segment(0xda, 'x'), Buffer.from('ffd9', 'hex')])],
    [
      'a frame without height',
      Buffer.concat([
        Buffer.from('ffd8', 'hex'),
        segment(0xc0, '\x08\0\0\0\x09\x01'),
        segment(0xda, 'x'),
        Buffer.from('ffd9', 'hex'),
      ]),
    ],
    ['an end before any scan', Buffer.from('ffd8ffd9', 'hex')],
  ])('refuses %s', (_, bytes) => {
    expect(() => readJpeg(bytes)).toThrow(expect.objectContaining({ code: 'jpeg/malformed' }));
  });

  test('refuses more segments than any writer makes', () => {
    const many = withSegments(...new Array<Buffer>(100_001).fill(segment(0xfe, '')));
    expect(() => readJpeg(many)).toThrow(/at most 100000 segments/);
  });

  test('damaged bytes end in a result or in jpeg/malformed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(picture.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const damaged = Uint8Array.from(picture);
          for (const [at, value] of changes) damaged[at] = value;
          failsAsTyped(() => readJpeg(damaged), CODES);
          failsAsTyped(() => spliceJpeg(damaged, { exif, xmp: null, comment: encode('Steps: 1') }), CODES);
        },
      ),
    );
  });
});

describe('properties', () => {
  test('of two XMP segments the second stays, byte for byte', () => {
    const packet = (text: string): Buffer => segment(0xe1, `http://ns.adobe.com/xap/1.0/\0<x>${text}</x>`);
    const bytes = withSegments(packet('first'), packet('second'));
    const once = Buffer.from(spliceJpeg(bytes, { xmp: '<x>ours</x>' }));
    expect(readJpeg(once).xmp).toBe('<x>ours</x>');
    expect(once.includes('first')).toBe(false);
    expect(once.includes(packet('second'))).toBe(true);
    expect(Buffer.from(spliceJpeg(once, { xmp: '<x>ours</x>' }))).toEqual(once);
    const none = Buffer.from(spliceJpeg(bytes, { xmp: null }));
    expect(readJpeg(none).xmp).toBeUndefined();
    expect(Buffer.from(spliceJpeg(none, { xmp: null }))).toEqual(none);
  });

  test('blocks come back as they went in; a second splice changes nothing', () => {
    const block = fc.uint8Array({ maxLength: 500 });
    fc.assert(
      fc.property(block, fc.string({ maxLength: 200 }), fc.string({ maxLength: 100 }), (bytes, xmp, note) => {
        const comment = encode(`Steps: ${note}`);
        const once = spliceJpeg(picture, { exif: bytes, xmp, comment });
        const seen = readJpeg(once);
        expect([hex(seen.exif ?? encode('none')), seen.xmp, seen.comments.map(hex)]).toEqual([
          hex(bytes),
          xmp,
          [hex(comment)],
        ]);
        expect(hex(spliceJpeg(once, { exif: bytes, xmp, comment }))).toBe(hex(once));
      }),
    );
  });
});

describe.skipIf(!exiftool.available)('exiftool', () => {
  test.each([
    ['without JFIF', picture],
    ['with JFIF', withSegments(jfif)],
  ])('finds nothing to say %s', async (_, source) => {
    await withFile(spliceJpeg(source, { exif, comment: encode('Steps: 1') }), 'jpg', (file) => {
      expect(findingsOf(file)).toBe('');
      expect(exiftool.run(['-s3', '-UserComment', '-Comment', file])).toBe('cat.Steps: 9\nSteps: 1\n');
    });
  });
});

test.skipIf(!pillow.available)('Pillow takes our comment, being the last', async () => {
  const script = 'import sys;from PIL import Image;print(Image.open(sys.argv[1]).info["comment"].decode())';
  const out = spliceJpeg(withSegments(segment(0xfe, 'theirs')), { comment: encode('Steps: 猫') });
  expect(await withFile(out, 'jpg', (file) => pillow.run(['-c', script, file]))).toBe('Steps: 猫\n');
});
