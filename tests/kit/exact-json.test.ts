import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { ExactNumber, parseExactJson, stringifyAscii } from '../../nodes/kit/exact-json.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';

const parse = (text: string) => parseExactJson(text, () => {});

describe('parseExactJson', () => {
  test.each([
    '8.0',
    '18446744073709551615',
    '9007199254740993',
    '-0',
    '1e-3',
    '1E5',
    '1e999',
    '0.1000',
    '123456789012345678901234567890.5',
  ])('keeps the spelling %s', (text) => {
    expect(parse(text)).toBeInstanceOf(ExactNumber);
    expect(stringifyAscii(parse(`{"a":[${text}]}`))).toBe(`{"a":[${text}]}`);
  });

  test.each(['8', '0.5', '-7', '9007199254740991'])('%s needs no help', (text) =>
    expect(parse(text)).toBe(Number(text)),
  );

  test('any spelling of a number survives, wherever it stands', () => {
    const digits = fc.stringMatching(/^\d{1,25}$/).map((text) => text.replace(/^0+(?=\d)/, ''));
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        digits,
        fc.option(fc.stringMatching(/^\.\d{1,20}$/), { nil: '' }),
        fc.option(fc.stringMatching(/^[eE][+-]?\d{1,3}$/), { nil: '' }),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(number, { minLength: 1 }), fc.string(), (numbers, key) => {
        const text = `{${JSON.stringify(`k${key}`)}:[${numbers.join(',')}]}`;
        const again = stringifyAscii(parse(text));
        expect(again.slice(again.lastIndexOf('['))).toBe(`[${numbers.join(',')}]}`);
      }),
    );
  });

  test('agrees with JSON.parse on everything else, keys such as __proto__ included', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: 'binary' }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(key, tie('value')),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        const text = JSON.stringify(any);
        expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('__proto__ is a key like any other', () => {
    const parsed = parse('{"__proto__":{"polluted":1},"a":2}');
    expect(Object.keys(parsed as object)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(stringifyAscii(parsed)).toBe('{"__proto__":{"polluted":1},"a":2}');
  });

  test("Python's NaN and Infinity are read as null, with one warning, but not inside of texts", () => {
    const { warn, list } = createWarningLog();
    const text = '{"is_changed":[NaN,-Infinity],"b":Infinity,"t":"NaN \\" NaN -Infinity \\\\","u":"x"}';
    expect(parseExactJson(text, warn, 'p.json')).toEqual({
      is_changed: [null, null],
      b: null,
      t: 'NaN " NaN -Infinity \\',
      u: 'x',
    });
    expect(list).toEqual([
      { code: 'graph/nan', message: 'NaN or Infinity was read as null', where: 'p.json' },
    ]);
  });

  test.each(['', '{', '{"a":nan}', '[1,]', '{"a":NaN', "{'a':1}", '\ufeff{}', 'Infinityx'])(
    '%j is malformed',
    (text) => {
      try {
        parseExactJson(text, () => {}, 'p.json');
        expect.unreachable();
      } catch (error) {
        if (!isLineageError(error, 'graph/malformed')) throw error;
        expect(error.message).toMatch(/^expected JSON, got: /);
        expect(error.where).toEqual({ file: 'p.json' });
      }
    },
  );

  test('a document nested without end is refused, not a crash', () => {
    for (const text of ['['.repeat(1_000_000), `${'['.repeat(100_000)}${']'.repeat(100_000)}`]) {
      try {
        parse(text);
        expect.unreachable();
      } catch (error) {
        expect(isLineageError(error)).toBe(true);
      }
    }
  });

  test('any text parses or fails as typed', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', 'NaN', '-Infinity', '1', 'a', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parse(pieces.join(''));
        } catch (error) {
          if (!isLineageError(error, 'graph/malformed')) throw error;
        }
      }),
    );
  });
});

describe('stringifyAscii', () => {
  test('is ASCII and says the same, lone surrogates included', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.string({ unit: 'binary' }), (value, text) => {
        const written = stringifyAscii({ value, text: `\ud800${text}\u007f` });
        expect(written).toMatch(/^[ -~]*$/);
        expect(JSON.parse(written)).toEqual(
          JSON.parse(JSON.stringify({ value, text: `\ud800${text}\u007f` })),
        );
      }),
    );
  });

  test('spells escapes as JSON wants them', () => {
    expect(stringifyAscii('é€😀\u2028')).toBe('"\\u00e9\\u20ac\\ud83d\\ude00\\u2028"');
    expect(stringifyAscii(undefined)).toBe('null');
  });
});

test('a document cut off inside a string of quotes fails at once', () => {
  const cut = `{"a":"${'\\"'.repeat(100_000)}`;
  const start = performance.now();
  expect(() => parseExactJson(cut, () => {})).toThrow(/expected JSON/);
  expect(performance.now() - start).toBeLessThan(2_000);
});
