import ExifReader from 'exifreader';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readAvif, spliceAvif } from '../../nodes/formats/avif.ts';
import { writeExif } from '../../nodes/formats/exif.ts';
import { exiftool, findingsOf, pillow } from '../peers.ts';
import { expectSamePixels, expectTypedFailures, failsAsTyped, hex, makeImage, withFile } from './samples.ts';

const opaque = await makeImage('avif');
const transparent = await makeImage('avif', { channels: 4 });
const CODES = ['avif/malformed'] as const;
const exif = writeExif({
  userComment: { text: 'cat\nSteps: 9', encoding: 'unicode' },
  ascii: new Map([[0x10e, 'prompt:{}']]),
  width: 13,
  height: 9,
});
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>';

function u16(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 255])));
}

function u32(...values: readonly number[]): Buffer {
  return Buffer.concat(
    values.map((value) => Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255])),
  );
}

/** A box by hand. */
function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
}

function place(file: Buffer, type: string): { start: number; size: number } {
  const start = file.indexOf(type, 0, 'latin1') - 4;
  return { start, size: file.readUInt32BE(start) };
}

/** The picture with another `iloc` in the place of its own; `make` is told how many bytes `meta` grows and where the picture's data lay. */
function withIloc(make: (offset: number, length: number) => Buffer): Uint8Array {
  const file = Buffer.from(opaque);
  const meta = place(file, 'meta');
  const iloc = place(file, 'iloc');
  const mdat = place(file, 'mdat');
  const [at, length] = [mdat.start + 8, mdat.size - 8];
  const growth = make(at, length).length - iloc.size;
  const out = Buffer.concat([
    file.subarray(0, iloc.start),
    make(at + growth, length),
    file.subarray(iloc.start + iloc.size),
  ]);
  out.writeUInt32BE(meta.size + growth, meta.start);
  return new Uint8Array(out);
}

describe('spliceAvif', () => {
  test.each([
    ['opaque', opaque, false],
    ['with alpha', transparent, true],
  ])('%s: items are added, pixels and brand stay', async (_, source, hasAlpha) => {
    const out = spliceAvif(source, { exif, xmp: XMP });
    expect(readAvif(out)).toMatchObject({
      width: 13,
      height: 9,
      hasAlpha,
      isAnimated: false,
      exif,
      xmp: XMP,
      hasC2pa: false,
    });
    expect(hex(out.subarray(0, 28))).toBe(hex(source.subarray(0, 28)));
    await expectSamePixels(out, source);
    expect(hex(spliceAvif(out, { exif, xmp: XMP }))).toBe(hex(out));
    const metadata = await sharp(out).metadata();
    expect([hex(metadata.exif ?? new Uint8Array()), metadata.xmpAsString]).toEqual([hex(exif), XMP]);
    const tags = ExifReader.load(out.buffer as ArrayBuffer);
    expect(tags['ImageDescription']?.description).toBe('prompt:{}');
  });

  test("iloc has four-byte offsets from the file's start and no base, as ComfyUI's front end needs", () => {
    const out = Buffer.from(spliceAvif(opaque, { exif }));
    const { start } = place(out, 'iloc');
    // version 0; sizes 4, 4, 0; two items; the second: id 2, reference 0, one extent
    expect(out.toString('hex', start + 8, start + 16)).toBe('0000000044000002');
    expect(out.toString('hex', start + 30, start + 36)).toBe('000200000001');
    const [offset, length] = [out.readUInt32BE(start + 36), out.readUInt32BE(start + 40)];
    expect(out.toString('hex', offset, offset + length)).toBe(`00000000${hex(exif)}`);
    // cdsc: from 2, one reference, to 1
    expect(out.includes(box('cdsc', u16(2, 1, 1)))).toBe(true);
  });

  test('one part can change while the other stays; both can go', () => {
    const both = spliceAvif(opaque, { exif, xmp: XMP });
    const other = writeExif({ ascii: new Map([[0x10e, 'prompt:{"x":1}']]) });
    const changed = spliceAvif(both, { exif: other });
    expect(readAvif(changed)).toMatchObject({ exif: other, xmp: XMP });
    expect(hex(spliceAvif(changed, { exif }))).toBe(hex(both));
    const none = spliceAvif(both, { exif: null, xmp: null });
    expect([readAvif(none).exif, readAvif(none).xmp]).toEqual([undefined, undefined]);
    expect(Buffer.from(none).includes('cdsc')).toBe(false);
    expect(none.length).toBeLessThan(opaque.length + 20);
    expect(hex(spliceAvif(spliceAvif(none, { exif, xmp: XMP }), { exif: null, xmp: null }))).toBe(hex(none));
  });

  test.each<[string, (offset: number, length: number) => Buffer]>([
    [
      'version 1, index, eight-byte fields',
      (at, n) =>
        box('iloc', u32(0x01000000), u16(0x8888, 1), u16(1, 0, 0), u32(0, at), u16(1), u32(0, 0, 0, 0, 0, n)),
    ],
    [
      'version 1, two extents',
      (at, n) => box('iloc', u32(0x01000000), u16(0x4400, 1), u16(1, 0, 0, 2), u32(at, 20, at + 20, n - 20)),
    ],
    [
      'version 2, wide ids',
      (at, n) =>
        box('iloc', u32(0x02000000), u16(0x4440), u32(1), u32(1), u16(0, 0), u32(at), u16(1), u32(0, n)),
    ],
    [
      'version 0, no offsets but the base',
      (at, n) => box('iloc', u32(0), u16(0x0440, 1), u16(1, 0), u32(at), u16(1), u32(n)),
    ],
  ])('reads iloc of %s', async (_, make) => {
    const source = withIloc(make);
    await expectSamePixels(source, opaque);
    const out = spliceAvif(source, { exif, xmp: XMP });
    expect(readAvif(out)).toMatchObject({ exif, xmp: XMP });
    await expectSamePixels(out, opaque);
    expect(hex(spliceAvif(out, { exif, xmp: XMP }))).toBe(hex(out));
  });

  test('an item that runs to the end of the file keeps its data when something is appended', () => {
    const source = withIloc((at) => box('iloc', u32(0), u16(0x4400, 1), u16(1, 0, 1), u32(at, 0)));
    const data = source.subarray(place(Buffer.from(source), 'mdat').start + 8);
    const out = Buffer.from(spliceAvif(source, { exif, xmp: XMP }));
    // version and flags u32, sizes, count; then id, reference and number of extents u16 each, offset and length
    const at = place(out, 'iloc').start + 8 + 4 + 4 + 6;
    const [offset, length] = [out.readUInt32BE(at), out.readUInt32BE(at + 4)];
    expect(hex(out.subarray(offset, offset + length))).toBe(hex(data));
    expect(hex(spliceAvif(out, { exif, xmp: XMP }))).toBe(hex(out));
  });

  test('an item that starts at the end of the file has no data afterwards either', () => {
    const source = withIloc((at, n) => box('iloc', u32(0), u16(0x4400, 1), u16(1, 0, 1), u32(at + n, 0)));
    const out = Buffer.from(spliceAvif(source, { exif }));
    // No extents.
    expect(out.readUInt16BE(place(out, 'iloc').start + 8 + 4 + 4 + 4)).toBe(0);
    expect(hex(spliceAvif(out, { exif }))).toBe(hex(out));
  });

  test('an open-ended mdat is closed, a 64-bit box is stepped over', async () => {
    const open = Uint8Array.from(opaque);
    open.fill(0, place(Buffer.from(opaque), 'mdat').start, place(Buffer.from(opaque), 'mdat').start + 4);
    const out = spliceAvif(open, { exif });
    expect(place(Buffer.from(out), 'mdat').size).toBe(place(Buffer.from(opaque), 'mdat').size);
    expect(readAvif(out).exif).toEqual(exif);
    await expectSamePixels(out, opaque);
    const wide = new Uint8Array(
      Buffer.concat([opaque, u32(1), Buffer.from('free'), u32(0, 20), Buffer.from('wide')]),
    );
    const tagged = Buffer.from(spliceAvif(wide, { exif }));
    expect(hex(readAvif(tagged).exif ?? tagged)).toBe(hex(exif));
    expect(tagged.includes(Buffer.from(wide.subarray(opaque.length)))).toBe(true);
  });

  test.each([
    ['text', Buffer.from('TRAILING'.repeat(100))],
    ['a few bytes', Buffer.from('ab')],
    ['zeros', Buffer.alloc(64)],
  ])('bytes behind the last box stay: %s', async (_, trailer) => {
    const source = new Uint8Array(Buffer.concat([opaque, trailer]));
    expect(hex(spliceAvif(source, {}))).toBe(hex(spliceAvif(opaque, {})) + hex(trailer));
    const out = spliceAvif(source, { exif, xmp: XMP });
    expect(Buffer.from(out).subarray(-trailer.length).equals(trailer)).toBe(true);
    expect(readAvif(out)).toMatchObject({ exif, xmp: XMP });
    expect(hex(spliceAvif(out, { exif, xmp: XMP }))).toBe(hex(out));
    await expectSamePixels(out, opaque);
  });

  test('chunk offsets of an animation follow the data that moves', () => {
    const data = place(Buffer.from(opaque), 'mdat').start + 8;
    const stco = box('stco', u32(0, 2, data, 3));
    const co64 = box('co64', u32(0, 1, 0, data + 5));
    const trak = (table: Buffer): Buffer => box('trak', box('mdia', box('minf', box('stbl', table))));
    const source = Buffer.concat([opaque, box('moov', trak(stco), trak(co64))]);
    const before = hex(source);
    const out = Buffer.from(spliceAvif(source, { exif }));
    expect(hex(source)).toBe(before);
    const table = place(out, 'stco').start;
    const moved = out.readUInt32BE(table + 16);
    expect(out.subarray(moved, moved + 8).equals(Buffer.from(opaque).subarray(data, data + 8))).toBe(true);
    expect(out.readUInt32BE(table + 20)).toBe(3);
    expect(out.readUInt32BE(place(out, 'co64').start + 20)).toBe(moved + 5);
    expect(readAvif(out).isAnimated).toBe(true);
  });

  test('an item that others wrote is replaced where it stands in the list', async () => {
    const source = new Uint8Array(
      await sharp(Buffer.from(opaque))
        .withExif({ IFD0: { Make: 'Someone' } })
        .avif({ lossless: true })
        .toBuffer(),
    );
    expect(Buffer.from(readAvif(source).exif ?? []).includes('Someone')).toBe(true);
    const out = spliceAvif(source, { exif });
    expect(readAvif(out).exif).toEqual(exif);
    await expectSamePixels(out, source);
    expect(hex(spliceAvif(out, { exif }))).toBe(hex(out));
  });

  test('a profile is seen and stays', async () => {
    const profiled = new Uint8Array(await sharp(Buffer.from(opaque)).withIccProfile('p3').avif().toBuffer());
    expect([
      readAvif(opaque).hasIcc,
      readAvif(profiled).hasIcc,
      readAvif(spliceAvif(profiled, { exif })).hasIcc,
    ]).toEqual([false, true, true]);
  });
});

describe('readAvif', () => {
  test('fails as typed on every truncation', () => {
    const out = spliceAvif(transparent, { exif, xmp: XMP });
    expect(expectTypedFailures(out, readAvif, CODES)).toBe(out.length);
    expectTypedFailures(opaque, (part) => spliceAvif(part, { exif }), CODES);
  });

  test('damaged bytes end in a result or in avif/malformed', () => {
    const source = spliceAvif(transparent, { exif });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const damaged = Uint8Array.from(source);
        for (const [at, value] of changes) damaged[at] = value;
        failsAsTyped(() => readAvif(damaged), CODES);
        failsAsTyped(() => spliceAvif(damaged, { exif, xmp: XMP }), CODES);
      }),
      { numRuns: 500 },
    );
  });

  test('blocks come back as they went in; a second splice changes nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.string({ minLength: 1, maxLength: 200 }),
        (bytes, xmp) => {
          const block = Uint8Array.of(0x4d, ...bytes);
          const once = spliceAvif(opaque, { exif: block, xmp });
          expect([hex(readAvif(once).exif ?? new Uint8Array()), readAvif(once).xmp]).toEqual([
            hex(block),
            xmp,
          ]);
          expect(hex(spliceAvif(once, { exif: block, xmp }))).toBe(hex(once));
        },
      ),
    );
  });
});

describe.skipIf(!exiftool.available)('exiftool', () => {
  test('finds nothing to say and reads the comment', async () => {
    await withFile(spliceAvif(transparent, { exif, xmp: XMP }), 'avif', (file) => {
      expect(findingsOf(file)).toBe('');
      expect(exiftool.run(['-b', '-UserComment', file])).toBe('cat\nSteps: 9');
    });
  });
});

test.skipIf(!pillow.available)('Pillow reads EXIF and XMP', async () => {
  const script =
    'import sys;from PIL import Image;i=Image.open(sys.argv[1]);i.load();print(i.getexif()[0x10e], i.info["xmp"].decode()[:9])';
  expect(
    await withFile(spliceAvif(opaque, { exif, xmp: XMP }), 'avif', (file) =>
      pillow.run(['-c', script, file]),
    ),
  ).toBe('prompt:{} <x:xmpmet\n');
});
