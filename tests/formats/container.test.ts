import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readContainer, spliceContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { writeExif } from '../../nodes/formats/exif.ts';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { expectSamePixels, failsAsTyped, hex, makeImage } from './samples.ts';

const exif = writeExif({ userComment: { text: 'Steps: 1', encoding: 'unicode' }, ascii: new Map() });
const CODES = [
  'image/unknown-format',
  'png/malformed',
  'jpeg/malformed',
  'webp/malformed',
  'avif/malformed',
] as const;

describe.each(IMAGE_FORMATS)('%s', (format) => {
  test('EXIF and XMP go through one door', async () => {
    const source = await makeImage(format, { channels: 4 });
    const out = spliceContainer(source, { exif, xmp: '<x/>' });
    expect(readContainer(out)).toMatchObject({
      format,
      width: 13,
      height: 9,
      exif,
      xmp: '<x/>',
      hasAlpha: format !== 'jpeg',
      isAnimated: false,
      damaged: [],
    });
    await expectSamePixels(out, source);
    expect(readContainer(spliceContainer(out, { exif: null, xmp: null }))).not.toHaveProperty('exif');
  });

  test('a splice leaves its input alone', async () => {
    const source = await makeImage(format);
    const before = hex(source);
    spliceContainer(source, { exif, xmp: null });
    expect(hex(source)).toBe(before);
    // A file that was read is a Buffer, whose `slice` is a view and no copy; it has the metadata already.
    const tagged = Buffer.from(spliceContainer(source, { exif, xmp: '<x/>' }));
    const whole = hex(tagged);
    spliceContainer(tagged, { exif: null, xmp: null });
    expect(hex(tagged)).toBe(whole);
  });

  test('what the format cannot hold is refused, not dropped', async () => {
    const source = await makeImage(format);
    const conflict = expect.objectContaining({ code: 'option/conflict' });
    if (format !== 'jpeg') expect(() => spliceContainer(source, { comment: exif })).toThrow(conflict);
    if (format !== 'png')
      expect(() => spliceContainer(source, { texts: new Map([['a', 'b']]) })).toThrow(conflict);
  });
});

describe('detectImageFormat', () => {
  test.each([
    ['png', '89504e470d0a1a0a'],
    ['jpeg', 'ffd8ffe0'],
    ['webp', '524946460000000057454250'],
    ['avif', '0000001c667479706176696600000000'],
    ['avif', '00000018667479706d696631000000006d69663161766966'],
    [undefined, '0000001866747970686569630000000068656963'],
    [undefined, '474946383961'],
    [undefined, '0000'],
    [undefined, ''],
  ])('%s: %s', (format, start) => {
    expect(detectImageFormat(Buffer.from(start, 'hex'))).toBe(format);
  });
});

test('random bytes behind any signature end in a result or a typed error', () => {
  const starts = [
    '',
    '89504e470d0a1a0a',
    'ffd8ff',
    '524946464000000057454250',
    '0000001c667479706176696600000000',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 200 }), (start, rest) => {
      const bytes = new Uint8Array(Buffer.concat([Buffer.from(start, 'hex'), rest]));
      failsAsTyped(() => readContainer(bytes), CODES);
      failsAsTyped(() => spliceContainer(bytes, { exif }), CODES);
    }),
    { numRuns: 1_000 },
  );
});
