import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExactNumber, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { NUMBER_MARK, quoteNumbers } from '../../nodes/kit/quote-numbers.ts';

const parse = (text: string): unknown =>
  parseExactJson(text, () => {
    throw new Error('no warning was expected');
  });

test('quotes only what a double would change, and never inside of texts', () => {
  const text = '{"a 5.0 \\" 8.0":[1,-1,10,1.5,5.0,-0,1e3,18446744073709551615],"\\\\":0.10}';
  expect(quoteNumbers(text)).toEqual({
    text: `{"a 5.0 \\" 8.0":[1,-1,10,1.5,"${NUMBER_MARK}5.0","${NUMBER_MARK}-0","${NUMBER_MARK}1e3","${NUMBER_MARK}18446744073709551615"],"\\\\":"${NUMBER_MARK}0.10"}`,
    count: 5,
  });
  expect(quoteNumbers('[1, 2, "3.0"]')).toEqual({ text: '[1, 2, "3.0"]', count: 0 });
});

test.each([
  '{5.0:1}',
  '[05.0]',
  '[5.]',
  '[.5]',
  '[+5.0]',
  '[1.5.0]',
  '[5.0 5.0]',
  '"5.0',
  '[--5.0]',
  '[5.0e]',
])('what is no JSON stays none: %s', (text) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(() => parse(text)).toThrow('expected JSON');
});

test.each([NUMBER_MARK, '\\ue000', '\\uE000'])(
  'a text of the document that looks like a mark stays a text',
  (mark) => {
    expect(parse(`["${mark}5.0", 5.0]`)).toEqual([`${NUMBER_MARK}5.0`, new ExactNumber('5.0')]);
  },
);

test('accepts exactly what JSON.parse accepts', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '\\',
    '5.0',
    '-',
    '1',
    '0',
    '.',
    'e',
    ' ',
    'true',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const accepts = (read: (text: string) => unknown): boolean => {
        try {
          read(text);
          return true;
        } catch {
          return false;
        }
      };
      expect(accepts(parse)).toBe(accepts(JSON.parse));
    }),
    { numRuns: 5_000 },
  );
});
