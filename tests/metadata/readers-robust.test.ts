import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { READERS } from '../../nodes/metadata/readers/index.ts';
import type { ReaderView } from '../../nodes/metadata/readers/reader.ts';
import { viewExif } from '../../nodes/metadata/readers/view.ts';
import { infotext, jpeg, userComment } from './reader-views.ts';

/** Text made of the marks that the readers look for, so that their branches are met. */
const marks = fc.constantFrom(
  ...[
    'Steps: ',
    '\n',
    'Negative prompt:',
    ', ',
    ':',
    '"',
    '{',
    '}',
    '[',
    ']',
    '<lora:',
    '>',
    'Hashes: ',
    '\\',
    'Template: ',
  ],
  ...[
    'Lora hashes: ',
    'Civitai resources: [{',
    '}]',
    'Size: 1x2',
    'Seed: 9',
    '__proto__: ',
    '\ufeff',
    '\ud800',
    '狐',
    'x',
    ' ',
  ],
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(marks, { maxLength: 60 }).map((parts) => parts.join('')),
);
const bytes = fc.uint8Array({ maxLength: 300 });
const format = fc.constantFrom(...IMAGE_FORMATS);

const view: fc.Arbitrary<ReaderView> = fc.record({
  format,
  hasAlpha: fc.boolean(),
  pngTexts: fc.array(
    fc.record({
      keyword: fc.constantFrom('parameters', 'prompt', 'workflow', 'Description', 'x'),
      text,
      chunk: fc.constantFrom('tEXt', 'iTXt', 'zTXt'),
      compressed: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  hasExif: fc.boolean(),
  bigEndian: fc.boolean(),
  userComment: fc.oneof(
    bytes,
    fc
      .tuple(text, fc.constantFrom('be', 'le', 'ascii', 'utf8', 'raw'))
      .map(([value, coding]) => userComment(value, coding)),
  ),
  ifd0Ascii: fc.array(fc.record({ tag: fc.constantFrom(0x010e, 0x010f, 0x0110, 1), bytes }), {
    maxLength: 3,
  }),
  comments: fc.array(bytes, { maxLength: 2 }),
});

describe.each(READERS.map((reader) => [reader.id, reader] as const))('%s', (_, reader) => {
  it('reads any text and any bytes without throwing', () => {
    const isTotal = (some: ReaderView) => {
      expect(reader.read(some).reader).toBe(reader.id);
    };
    fc.assert(fc.property(view, isTotal), { numRuns: 300 });
    fc.assert(fc.property(text.map(infotext), isTotal), { numRuns: 300 });
  });

  it.each([
    ['one word', 'a'],
    ['spaces', ' '],
    ['colons', ':'],
    ['keys', 'ab:'],
    ['commas', ', '],
    ['quotes', '"'],
    ['open quotes behind keys', 'ab: "\\",'],
    ['braces', '{'],
    ['angle brackets', '<lora:a'],
    ['lines of Steps', 'Steps: 1\n'],
    ['hashes', ', Hashes: {'],
    ['word runs', 'Ab cd '],
    ['templates', 'Template: x\n'],
  ])('takes 64 KiB of %s in less than 50 ms', (_name, unit) => {
    const body = unit.repeat(65_536 / unit.length);
    for (const whole of [body, `${body}\nNegative prompt: ${body.slice(0, 99)}\nSteps: 1, ${body}`]) {
      const views = [infotext(whole), jpeg({ userComment: userComment(whole, 'be') })];
      for (const one of views) expect(fastest(() => reader.read(one))).toBeLessThan(50);
    }
  });
});

/** The better of three runs in milliseconds: the machine may be busy, the code may not be slow. */
function fastest(run: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe('view of a TIFF block', () => {
  it('takes any bytes', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('MM\0*', 'II*\0'), (body, start) => {
        const { ifd0Ascii } = viewExif(Buffer.concat([Buffer.from(start, 'latin1'), body]));
        expect(ifd0Ascii.length).toBeLessThanOrEqual(1024);
      }),
    );
  });
});
