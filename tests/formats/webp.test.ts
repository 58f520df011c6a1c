import ExifReader from 'exifreader';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { writeExif } from '../../nodes/formats/exif.ts';
import { readWebp, spliceWebp } from '../../nodes/formats/webp.ts';
import { exiftool, findingsOf } from '../peers.ts';
import { expectSamePixels, expectTypedFailures, failsAsTyped, hex, makeImage, withFile } from './samples.ts';

const lossy = await makeImage('webp');
const lossless = await makeImage('webp', { lossless: true });
const transparent = await makeImage('webp', { channels: 4 });
const transparentLossless = await makeImage('webp', { channels: 4, lossless: true });
const CODES = ['webp/malformed'] as const;
const exif = writeExif({
  userComment: { text: 'cat\nSteps: 9', encoding: 'unicode' },
  ascii: new Map([[0x10e, 'prompt:{}']]),
  width: 13,
  height: 9,
});

/** Types and lengths of the chunks; the RIFF size must be the file's. */
function outline(bytes: Uint8Array): string[] {
  const file = Buffer.from(bytes);
  expect(file.readUInt32LE(4)).toBe(file.length - 8);
  const found: string[] = [];
  for (let at = 12; at < file.length; at += 8 + file.readUInt32LE(at + 4) + (file.readUInt32LE(at + 4) % 2))
    found.push(file.toString('latin1', at, at + 4));
  return found;
}

/** A chunk by hand. */
function chunk(type: string, data: string): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, Buffer.from(data + (data.length % 2 ? '\0' : ''), 'latin1')]);
}

/** A file of these chunks, with a RIFF head. */
function riff(...chunks: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  const head = Buffer.from('RIFF\0\0\0\0');
  head.writeUInt32LE(body.length, 4);
  return new Uint8Array(Buffer.concat([head, body]));
}

describe('spliceWebp', () => {
  test.each([
    ['lossy', lossy, ['VP8X', 'VP8 ', 'EXIF', 'XMP '], 0x0c],
    ['lossless', lossless, ['VP8X', 'VP8L', 'EXIF', 'XMP '], 0x0c],
    ['lossy with alpha', transparent, ['VP8X', 'ALPH', 'VP8 ', 'EXIF', 'XMP '], 0x1c],
    ['lossless with alpha', transparentLossless, ['VP8X', 'VP8L', 'EXIF', 'XMP '], 0x1c],
  ])('%s: VP8X says canvas and flags', async (_, source, chunks, flags) => {
    const out = spliceWebp(source, { exif, xmp: '<x/>' });
    expect(outline(out)).toEqual(chunks);
    // flags, 24 reserved bits, canvas 13x9 less one
    expect(hex(out.subarray(20, 30))).toBe(`${flags.toString(16).padStart(2, '0')}0000000c0000080000`);
    expect(readWebp(out)).toMatchObject({
      width: 13,
      height: 9,
      exif,
      xmp: '<x/>',
      hasAlpha: flags === 0x1c,
      isAnimated: false,
    });
    expect(hex(spliceWebp(out, { exif, xmp: '<x/>' }))).toBe(hex(out));
    expect(readWebp(spliceWebp(out, { exif: null })).exif).toBeUndefined();
    // Without EXIF its flag (08) goes; XMP's (04) stays.
    expect((spliceWebp(out, { exif: null })[20] ?? 0) & 0x0c).toBe(0x04);
    expect(Buffer.from(out).includes('Exif\0\0')).toBe(false);
    await expectSamePixels(out, source);
    const tags = ExifReader.load(out.buffer as ArrayBuffer);
    expect(tags['ImageDescription']?.description).toBe('prompt:{}');
  });

  test('odd blocks are padded with a zero, counted in the RIFF size but not in their own', () => {
    const out = spliceWebp(lossy, { xmp: '<x/>x' });
    expect(outline(out).at(-1)).toBe('XMP ');
    expect(hex(out.subarray(-14))).toBe(
      `${Buffer.from('XMP ').toString('hex')}05000000${Buffer.from('<x/>x').toString('hex')}00`,
    );
  });

  test('ICC, animation and unknown chunks stay where they are', async () => {
    const frames = await sharp(Buffer.alloc(8 * 24 * 3, 9), {
      raw: { width: 8, height: 24, channels: 3, pageHeight: 8 },
    })
      .webp({ loop: 0 })
      .toBuffer();
    const out = spliceWebp(frames, { exif });
    expect(readWebp(out)).toMatchObject({ width: 8, height: 8, isAnimated: readWebp(frames).isAnimated });
    expect((await sharp(out, { animated: true }).metadata()).pages).toBe(
      (await sharp(frames, { animated: true }).metadata()).pages,
    );
    const profiled = new Uint8Array(await sharp(lossy).withIccProfile('p3').webp().toBuffer());
    const tagged = spliceWebp(profiled, { exif });
    expect(outline(tagged)).toEqual(['VP8X', 'ICCP', 'VP8 ', 'EXIF']);
    expect([readWebp(tagged).hasIcc, (tagged[20] ?? 0) & 0x28]).toEqual([true, 0x28]);
    const odd = riff(lossy.subarray(12), chunk('ODD ', 'abc'));
    expect(Buffer.from(spliceWebp(odd, { exif })).includes(chunk('ODD ', 'abc'))).toBe(true);
  });

  test('bytes behind the RIFF form stay; an EXIF prefix is taken off when reading', () => {
    const trailing = Buffer.concat([lossy, Buffer.from('trail')]);
    expect(Buffer.from(spliceWebp(trailing, { exif })).subarray(-5).toString()).toBe('trail');
    const prefixed = riff(
      chunk('VP8X', '\x08\0\0\0\x0c\0\0\x08\0\0'),
      lossy.subarray(12),
      chunk('EXIF', `Exif\0\0MM\0*`),
    );
    expect(hex(readWebp(prefixed).exif ?? new Uint8Array())).toBe('4d4d002a');
  });
});

describe('readWebp', () => {
  test('fails as typed on every truncation', () => {
    const out = spliceWebp(transparent, { exif, xmp: '<x/>' });
    // A file that lacks only the pad byte at its end is accepted.
    expect(expectTypedFailures(out, readWebp, CODES)).toBeGreaterThanOrEqual(out.length - 1);
    expectTypedFailures(out, (part) => spliceWebp(part, { exif }), CODES);
  });

  test.each([
    ['no image', riff(chunk('XMP ', 'x'))],
    ['a chunk longer than the file', riff(Buffer.from('VP8 \xff\xff\xff\x7f', 'latin1'))],
    ['a VP8 chunk that is none', riff(chunk('VP8 ', '0123456789'))],
    ['VP8X in the middle', riff(lossy.subarray(12), chunk('VP8X', '\0\0\0\0\x0c\0\0\x08\0\0'))],
  ])('refuses %s', (_, bytes) => {
    expect(() => readWebp(bytes)).toThrow(expect.objectContaining({ code: 'webp/malformed' }));
  });

  test('damaged bytes end in a result or in webp/malformed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const damaged = Uint8Array.from(transparent);
        for (const [at, value] of changes) damaged[at] = value;
        failsAsTyped(() => readWebp(damaged), CODES);
        failsAsTyped(() => spliceWebp(damaged, { exif, xmp: '<x/>' }), CODES);
      }),
    );
  });

  test('blocks come back as they went in; a second splice changes nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ maxLength: 200 }),
        fc.constantFrom(lossy, lossless, transparent),
        (bytes, xmp, source) => {
          const block = Uint8Array.of(0x4d, ...bytes);
          const once = spliceWebp(source, { exif: block, xmp });
          expect([hex(readWebp(once).exif ?? new Uint8Array()), readWebp(once).xmp]).toEqual([
            hex(block),
            xmp,
          ]);
          expect(hex(spliceWebp(once, { exif: block, xmp }))).toBe(hex(once));
          outline(once);
        },
      ),
    );
  });
});

describe.skipIf(!exiftool.available)('exiftool', () => {
  test.each([
    ['lossy', lossy],
    ['lossless', lossless],
    ['alpha', transparent],
  ])('finds nothing to say: %s', async (_, source) => {
    await withFile(spliceWebp(source, { exif }), 'webp', (file) => {
      expect(findingsOf(file)).toBe('');
      expect(exiftool.run(['-b', '-UserComment', file])).toBe('cat\nSteps: 9');
    });
  });
});
