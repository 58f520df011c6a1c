import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePythonRegex, findMatches } from '../../nodes/builtin/python-regex.ts';
import { fillTemplate, parseTemplate } from '../../nodes/builtin/python-template.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';

const NO_FLAGS = { ignoreCase: false, multiline: false, dotAll: false };

test('any text, each of its characters escaped, matches itself and nothing else', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(text, text, (wanted, other) => {
      // Python's `re.escape` leaves letters and digits alone, since escaped they mean something.
      const pattern = [...wanted].map((each) => (/[\p{L}\p{N}_]/u.test(each) ? each : `\\${each}`)).join('');
      const regex = compilePythonRegex(`\\A(?:${pattern})\\Z`, NO_FLAGS);
      expect([...findMatches(regex, wanted)].length).toBe(1);
      expect([...findMatches(regex, other)].length).toBe(other === wanted ? 1 : 0);
    }),
  );
});

test('any text is read as a pattern, refused as Python would, or refused with a code', () => {
  const pieces = fc.constantFrom(
    ...'ab1 ()[]{}|*+?^$.\\-,:=!<>P#é😀',
    '(?',
    '(?P<n>',
    '(?i)',
    '\\w',
    '{2}',
    '[^',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      try {
        compilePythonRegex(parts.join(''), NO_FLAGS);
      } catch (error) {
        expect(error instanceof SyntaxError || isLineageError(error, 'builtin/regex')).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a million parentheses are refused, not followed', () => {
  expect(() => compilePythonRegex('('.repeat(1_000_000), NO_FLAGS)).toThrow('nested groups');
});

test('a template without a backslash stands for itself', () => {
  const plain = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\\'));
  const match = /a/.exec('a');
  fc.assert(
    fc.property(plain, (text) => {
      expect(match && fillTemplate(parseTemplate(text), match)).toBe(text);
    }),
  );
});
