import exifr from 'exifr';
import fc from 'fast-check';
import piexif from 'piexifjs';
import { describe, expect, test } from 'vitest';
import { chooseWorkflowTags, readExif, removeOurExif, writeExif } from '../../nodes/formats/exif.ts';
import { spliceJpeg } from '../../nodes/formats/jpeg.ts';
import { exiftool, findingsOf } from '../peers.ts';
import { expectTypedFailures, failsAsTyped, hex, makeImage, withFile } from './samples.ts';

const CODES = ['exif/malformed'] as const;
const TEXT = 'a cat 😀 猫\nNegative prompt: dog\nSteps: 20, Sampler: Euler';
const ours = new Map([
  [0x010e, 'prompt:{"3":{}}'],
  [0x010f, 'workflow:{"nodes":[]}'],
]);

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** A camera's block from another writer: MakerNote, GPS and a thumbnail included. */
async function makeCamera(): Promise<Uint8Array> {
  const thumbnail = binary(await makeImage('jpeg'));
  const dumped = piexif.dump({
    '0th': { 271: 'Canon', 272: 'EOS R5', 274: 6, 282: [300, 1], 283: [300, 1], 296: 2 },
    Exif: {
      36864: '0231',
      37500: 'MAKERNOTE-with-offsets-inside',
      37510: 'ASCII\0\0\0holiday',
      33434: [1, 250],
    },
    GPS: {
      1: 'N',
      2: [
        [52, 1],
        [31, 1],
        [1234, 100],
      ],
    },
    '1st': { 259: 6, 282: [72, 1], 283: [72, 1], 296: 2 },
    thumbnail,
  });
  return new Uint8Array(Buffer.from(dumped.slice(6), 'latin1'));
}

/** The same block, little-endian and by hand: IFD0 with Make, Orientation, EXIF pointer; EXIF with MakerNote at a known place. */
function makeLittleEndianCamera(): Uint8Array {
  const block = Buffer.alloc(120);
  block.write('II', 0, 'latin1');
  block.writeUInt16LE(42, 2);
  block.writeUInt32LE(8, 4);
  const entry = (at: number, tag: number, type: number, count: number, value: number): void => {
    block.writeUInt16LE(tag, at);
    block.writeUInt16LE(type, at + 2);
    block.writeUInt32LE(count, at + 4);
    block.writeUInt32LE(value, at + 8);
  };
  block.writeUInt16LE(3, 8);
  entry(10, 0x010f, 2, 6, 80);
  entry(22, 0x0112, 3, 1, 6);
  entry(34, 0x8769, 4, 1, 50);
  block.writeUInt16LE(1, 50);
  entry(52, 0x927c, 7, 20, 90);
  block.write('Nikon\0', 80, 'latin1');
  block.write('maker note, 20 bytes', 90, 'latin1');
  return new Uint8Array(block);
}

describe('writeExif', () => {
  test('begins as the specification lays a big-endian block out', () => {
    const block = writeExif({ ascii: new Map(), width: 640, height: 480 });
    // MM 42, IFD0 at 8, five entries, XResolution RATIONAL x1 behind both directories: 8 + 66 + 78 = 152.
    expect(hex(block.subarray(0, 22))).toBe(`4d4d002a00000008${'0005'}${'011a00050000000100000098'}`);
    expect(hex(block.subarray(152, 160))).toBe('0000004800000001');
  });

  test('piexif and exifr read what was written', async () => {
    const block = writeExif({
      userComment: { text: TEXT, encoding: 'unicode' },
      ascii: ours,
      width: 13,
      height: 9,
    });
    const { '0th': ifd0, Exif: exif } = piexif.load(`Exif\0\0${binary(block)}`) as Record<
      string,
      Record<number, unknown>
    >;
    expect([ifd0?.[0x010e], ifd0?.[0x010f]]).toEqual([...ours.values()]);
    const comment = String(exif?.[0x9286]);
    expect(comment.slice(0, 8)).toBe('UNICODE\0');
    expect(Buffer.from(comment.slice(8), 'latin1').swap16().toString('utf16le')).toBe(TEXT);
    expect([exif?.[0x9000], exif?.[0xa002], exif?.[0xa003]]).toEqual(['0232', 13, 9]);
    const seen = await exifr.parse(Buffer.from(spliceJpeg(await makeImage('jpeg'), { exif: block })), {
      ifd0: {},
      userComment: true,
    });
    expect([seen.ImageDescription, seen.Make]).toEqual([...ours.values()]);
    expect(readExif(block)).toEqual({
      byteOrder: 'MM',
      ifd0Ascii: [...ours].map(([tag, text]) => ({ tag, text })),
      userComment: { encoding: 'unicode', text: TEXT },
      make: 'workflow:{"nodes":[]}',
    });
  });

  test('values stand at even offsets, whatever their lengths', () => {
    const block = Buffer.from(
      writeExif({
        ascii: new Map([
          [0x10e, 'four'],
          [0x10f, 'fourteen'],
        ]),
      }),
    );
    const at = (entry: number): number => block.readUInt32BE(10 + entry * 12 + 8);
    expect([at(0) % 2, at(1) % 2, at(2) % 2]).toEqual([0, 0, 0]);
    expect(block.toString('latin1', at(0), at(0) + 5)).toBe('four\0');
    expect(block.toString('latin1', at(1), at(1) + 9)).toBe('fourteen\0');
    expect(block.toString('hex', at(2), at(2) + 8)).toBe('0000004800000001');
  });

  test('ASCII comments take half the room and refuse what is not ASCII', () => {
    const write = (text: string, encoding: 'ascii' | 'unicode'): Uint8Array =>
      writeExif({ userComment: { text, encoding }, ascii: new Map() });
    const text = 'x'.repeat(1000);
    expect(write(text, 'unicode').length - write(text, 'ascii').length).toBe(1000);
    expect(readExif(write('Steps: 1', 'ascii')).userComment).toEqual({ encoding: 'ascii', text: 'Steps: 1' });
    expect(() => write('é', 'ascii')).toThrow(expect.objectContaining({ code: 'exif/not-ascii' }));
    expect(() => writeExif({ ascii: new Map([[0x10e, 'a\0b']]) })).toThrow(
      expect.objectContaining({ code: 'exif/not-ascii' }),
    );
  });

  test.each(['MM', 'II'])(
    'onto its own %s block gives the same bytes, and no old text stays behind',
    (order) => {
      const base = new Uint8Array(
        Buffer.from(
          `${order}${order === 'MM' ? '\0*\0\0\0\x08' : '*\0\x08\0\0\0'}${'\0'.repeat(6)}`,
          'latin1',
        ),
      );
      const first = writeExif({
        userComment: { text: 'older than all\nSteps: 5', encoding: 'ascii' },
        ascii: ours,
        base,
      });
      expect(readExif(first)).toMatchObject({
        byteOrder: order,
        userComment: { text: 'older than all\nSteps: 5' },
      });
      const change = { userComment: { text: TEXT, encoding: 'unicode' as const }, ascii: ours };
      const second = writeExif({ ...change, base: first });
      expect(readExif(second).userComment?.text).toBe(TEXT);
      expect(hex(writeExif({ ...change, base: second }))).toBe(hex(second));
      expect(binary(second)).not.toContain('older');
    },
  );

  test('UserComment is UTF-16BE in a little-endian block too', () => {
    const block = writeExif({
      userComment: { text: 'Aé', encoding: 'unicode' },
      ascii: new Map(),
      base: makeLittleEndianCamera(),
    });
    expect(hex(block)).toContain(`${Buffer.from('UNICODE\0').toString('hex')}004100e9`);
  });
});

describe('a block as piexif writes it, without a next-IFD field behind the EXIF directory', () => {
  test('is laid out anew: old text goes, a second write changes nothing', () => {
    const old = `UNICODE\0${Buffer.from('older than all\nSteps: 5', 'utf16le').swap16().toString('latin1')}`;
    const dumped = piexif.dump({ '0th': {}, Exif: { 37510: old }, GPS: {}, '1st': {} });
    const base = new Uint8Array(Buffer.from(dumped.slice(6), 'latin1'));
    const change = { userComment: { text: TEXT, encoding: 'unicode' as const }, ascii: ours, width: 13 };
    const once = writeExif({ ...change, base });
    expect(readExif(once).userComment?.text).toBe(TEXT);
    expect(hex(once)).not.toContain(Buffer.from('older', 'utf16le').swap16().toString('hex'));
    expect(hex(writeExif({ ...change, base: once }))).toBe(hex(once));
    expect(removeOurExif(base)).toBeUndefined();
  });
});

describe('a camera block', () => {
  test('survives: MakerNote stays at its place, GPS, thumbnail and every value are still read', async () => {
    const camera = await makeCamera();
    const tags = chooseWorkflowTags(camera);
    expect(tags).toEqual({ prompt: 0x010e, workflow: 0x010d });
    const ascii = new Map([
      [0x010e, 'prompt:{"3":{}}'],
      [0x010d, 'workflow:{"nodes":[]}'],
    ]);
    const change = { userComment: { text: TEXT, encoding: 'unicode' as const }, ascii, width: 13, height: 9 };
    const block = writeExif({ ...change, base: camera });
    expect(binary(block).indexOf('MAKERNOTE')).toBe(binary(camera).indexOf('MAKERNOTE'));
    const before = piexif.load(`Exif\0\0${binary(camera)}`) as Record<string, Record<number, unknown>>;
    const after = piexif.load(`Exif\0\0${binary(block)}`) as Record<string, Record<number, unknown>>;
    for (const tag of [271, 272, 274, 282, 283]) expect(after['0th']?.[tag]).toEqual(before['0th']?.[tag]);
    for (const tag of [36864, 37500, 33434]) expect(after['Exif']?.[tag]).toEqual(before['Exif']?.[tag]);
    expect([after['GPS'], after['1st'], after['thumbnail']]).toEqual([
      before['GPS'],
      before['1st'],
      before['thumbnail'],
    ]);
    expect(readExif(block)).toMatchObject({ make: 'Canon', model: 'EOS R5', userComment: { text: TEXT } });
    expect(hex(writeExif({ ...change, base: block }))).toBe(hex(block));
    const shorter = writeExif({
      ascii: new Map(),
      userComment: { text: 'Steps: 1', encoding: 'ascii' },
      base: block,
    });
    expect(shorter.length).toBeLessThan(camera.length + 400);
    expect(binary(shorter)).not.toContain('workflow:');
  });

  test('little-endian, by hand: offsets and order are kept', () => {
    const camera = makeLittleEndianCamera();
    const block = writeExif({ ascii: new Map([[0x010e, 'prompt:{}']]), base: camera });
    expect(readExif(block)).toMatchObject({ byteOrder: 'II', make: 'Nikon' });
    expect(hex(block.subarray(8, 110))).toBe(hex(camera.subarray(8, 110)));
    const { Exif: exif } = piexif.load(`Exif\0\0${binary(block)}`) as Record<string, Record<number, unknown>>;
    expect(exif?.[37500]).toBe('maker note, 20 bytes');
  });

  test.each([
    ['a next directory behind the end', 46, 0x400],
    ['an entry of an unknown type that seems to point behind the end', 24, 99],
    ['an EXIF pointer that is none', 36, 99],
  ])('with %s is written once and for all', (_, at, value) => {
    const base = Uint8Array.from(makeLittleEndianCamera());
    new DataView(base.buffer).setUint16(at, value, true);
    const change = { ascii: new Map([[0x010e, 'prompt:{}']]) };
    const once = writeExif({ ...change, base });
    expect(readExif(once).make).toBe('Nikon');
    expect(hex(writeExif({ ...change, base: once }))).toBe(hex(once));
  });

  test('what another program put into the part that we append stays', () => {
    const change = { ascii: new Map([[0x010e, 'prompt:{}']]) };
    const once = writeExif({ ...change, base: makeLittleEndianCamera() });
    const more = new Uint8Array([...once, ...Buffer.from('theirs')]);
    expect(Buffer.from(writeExif({ ...change, base: more })).includes('theirs')).toBe(true);
  });

  test('a thumbnail alone keeps a block in its place', async () => {
    const thumbnail = binary(await makeImage('jpeg'));
    const dumped = piexif.dump({ '0th': { 271: 'Canon' }, Exif: {}, GPS: {}, '1st': { 259: 6 }, thumbnail });
    const base = new Uint8Array(Buffer.from(dumped.slice(6), 'latin1'));
    const block = writeExif({ ascii: new Map([[0x010e, 'prompt:{}']]), base });
    expect(piexif.load(`Exif\0\0${binary(block)}`)['thumbnail']).toBe(thumbnail);
  });

  test('removeOurExif leaves what is not ours, and nothing of a block that is ours alone', async () => {
    const camera = await makeCamera();
    expect(readExif(removeOurExif(camera) ?? camera).userComment?.text).toBe('holiday');
    const block = writeExif({
      ascii: new Map([[0x010e, 'prompt:{}']]),
      userComment: { text: TEXT, encoding: 'unicode' },
      base: camera,
    });
    const rest = readExif(removeOurExif(block) ?? block);
    expect(rest).toMatchObject({ make: 'Canon', model: 'EOS R5' });
    expect([rest.userComment, rest.ifd0Ascii.some(({ text }) => text.startsWith('prompt:'))]).toEqual([
      undefined,
      false,
    ]);
    expect(
      removeOurExif(
        writeExif({ ascii: ours, userComment: { text: TEXT, encoding: 'unicode' }, width: 1, height: 1 }),
      ),
    ).toBeUndefined();
  });

  test('chooseWorkflowTags takes back our own and runs out when all are taken', () => {
    expect(chooseWorkflowTags()).toEqual({ prompt: 0x010e, workflow: 0x010f });
    expect(chooseWorkflowTags(writeExif({ ascii: ours }))).toEqual({ prompt: 0x010e, workflow: 0x010f });
    const full = writeExif({
      ascii: new Map([0x10e, 0x10f, 0x10d, 0x11d, 0x13c].map((tag) => [tag, 'mine'])),
    });
    expect(chooseWorkflowTags(full)).toEqual({ prompt: undefined, workflow: undefined });
  });
});

describe('readExif', () => {
  test.each([
    ['utf16 little-endian with a mark', '554e49434f444500fffe41004200', 'unicode', 'AB'],
    ['utf16 little-endian without', '554e49434f44450041004200', 'unicode', 'AB'],
    ['utf16 big-endian with a mark', '554e49434f444500feff00410042', 'unicode', 'AB'],
    [
      'utf16 big-endian, zero bytes in low places',
      '554e49434f4445004e004e004e0000204e00',
      'unicode',
      '一一一 一',
    ],
    ['ASCII, padded', '4153434949000000414200000000', 'ascii', 'AB'],
    ['JIS: 0x467C is U+65E5', '4a495300000000001b2442467c', 'jis', '日'],
    ['no code at all', '5374657073', 'undefined', 'Steps'],
  ])('decodes a comment: %s', (_, value, encoding, text) => {
    const comment = Buffer.from(value, 'hex');
    const block = Buffer.concat([
      Buffer.from('4d4d002a00000008000187690004000000010000001a00000000', 'hex'),
      Buffer.from('000192860007', 'hex'),
      Buffer.from([0, 0, 0, comment.length, 0, 0, 0, 44, 0, 0, 0, 0]),
      comment,
    ]);
    expect(readExif(new Uint8Array(block)).userComment).toEqual({ encoding, text });
  });

  test('refuses entries that share one long value', () => {
    const block = Buffer.alloc(8 + 2 + 20_000 * 12 + 4, 'x');
    block.write('4d4d002a00000008', 0, 'hex');
    block.writeUInt16BE(20_000, 8);
    for (let i = 0; i < 20_000; i++) block.write('010e0002000200000000000a', 10 + i * 12, 'hex');
    expect(() => readExif(block)).toThrow(expect.objectContaining({ code: 'exif/malformed' }));
    expect(() => writeExif({ ascii: ours, base: block })).toThrow(
      expect.objectContaining({ code: 'exif/malformed' }),
    );
  });

  test('fails as typed on every truncation and on damage', async () => {
    const camera = await makeCamera();
    expectTypedFailures(camera, readExif, CODES);
    expectTypedFailures(camera, (base) => writeExif({ ascii: ours, base }), CODES);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const base = Uint8Array.from(camera);
        for (const [at, value] of changes) base[at] = value;
        failsAsTyped(() => readExif(base), CODES);
        failsAsTyped(() => writeExif({ ascii: ours, base }), CODES);
        failsAsTyped(() => removeOurExif(base), CODES);
      }),
    );
  });

  test('texts come back as they went in', () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 300 })
      .filter((value) => !value.includes('\0') && !value.startsWith('\ufeff'));
    fc.assert(
      fc.property(text, (value) => {
        const block = writeExif({
          userComment: { text: `x${value}`, encoding: 'unicode' },
          ascii: new Map(),
        });
        const stored = Buffer.from(block.subarray(block.length - 2 * value.length))
          .swap16()
          .toString('utf16le');
        expect(stored).toBe(value);
      }),
    );
  });
});

describe.skipIf(!exiftool.available)('exiftool', () => {
  test('finds nothing to say, and reads the same values', async () => {
    const jpeg = await makeImage('jpeg');
    const fresh = writeExif({
      userComment: { text: TEXT, encoding: 'unicode' },
      ascii: ours,
      width: 13,
      height: 9,
    });
    await withFile(spliceJpeg(jpeg, { exif: fresh }), 'jpg', (file) => {
      expect(findingsOf(file)).toBe('');
      expect(exiftool.run(['-b', '-UserComment', file])).toBe(TEXT);
    });
    const onCamera = writeExif({
      ascii: new Map([[0x010e, 'prompt:{}']]),
      base: await makeCamera(),
      width: 13,
      height: 9,
    });
    await withFile(spliceJpeg(jpeg, { exif: onCamera }), 'jpg', (file) => {
      expect(
        exiftool.run(['-s3', '-Make', '-ImageDescription', '-GPSLatitudeRef', '-ThumbnailImage', file]),
      ).toMatch(/Canon\nprompt:\{\}\nNorth\n\(Binary data/);
    });
  });
});
