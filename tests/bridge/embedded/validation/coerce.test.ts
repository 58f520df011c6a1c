import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coerceLiteral } from '../../../../bridge/embedded/validation/coerce.ts';
import { areEqual, compare, isTruthy, reprOf } from '../../../../bridge/embedded/validation/python-value.ts';
import { type Json, parseExactJson } from '../../../../nodes/kit/exact-json.ts';

// Single values are in fixtures/comfy-api/validation.json, as real ComfyUI coerced them; these are the laws.
const read = (text: string): Json => parseExactJson(text, () => {});
const spell = (value: Json): string => JSON.stringify(value);

describe('laws of coercion', () => {
  test('an int of any size comes through whole, as number or text', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 200n), 2n ** 200n), (int) => {
        expect(spell(coerceLiteral('INT', read(String(int))))).toBe(String(int));
        expect(spell(coerceLiteral('INT', ` ${int}\n`))).toBe(String(int));
      }),
    );
  });

  test('a float is spelt so that it reads back the same, never as an int, and stays so', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (float) => {
        const once = coerceLiteral('FLOAT', read(JSON.stringify(float)));
        const text = spell(once);
        expect(text).toMatch(/[.e]/);
        expect(Number(text)).toBe(Object.is(float, -0) ? 0 : float);
        expect(spell(coerceLiteral('FLOAT', read(text)))).toBe(text);
        expect(spell(coerceLiteral('FLOAT', text))).toBe(text);
      }),
    );
  });

  test('INT cuts toward zero', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (float) => {
        expect(Number(spell(coerceLiteral('INT', read(JSON.stringify(float)))))).toBe(Math.trunc(float) + 0);
      }),
    );
  });

  test('any JSON is a text, and coercing twice changes nothing', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const value = read(json);
        const text = coerceLiteral('STRING', value);
        expect(typeof text).toBe('string');
        expect(coerceLiteral('STRING', text)).toBe(text);
        expect(coerceLiteral('BOOLEAN', value)).toBe(isTruthy(value));
      }),
    );
  });

  test('equality is reflexive and reads no difference of 1, 1.0 and true', () => {
    fc.assert(fc.property(fc.json(), (json) => areEqual(read(json), read(json))));
    const ones = ['1', '1.0', 'true', '10e-1'].map(read);
    for (const a of ones) for (const b of ones) expect(areEqual([a], [b])).toBe(true);
    expect(areEqual('1', 1)).toBe(false);
    expect(areEqual(read('{"a": 1, "b": [2]}'), read('{"b": [2.0], "a": 1}'))).toBe(true);
    expect(areEqual(read('{"a": 1}'), read('{"b": 1}'))).toBe(false);
    expect(areEqual(Number.NaN, Number.NaN)).toBe(false);
  });

  test('order is that of numbers, exact beyond doubles', () => {
    expect(compare(read('18446744073709551616'), '>', read('18446744073709551615'))).toBe(true);
    expect(compare(read('0.5'), '<', 1)).toBe(true);
    expect(compare(Number.NaN, '<', 1)).toBe(false);
    expect(() => compare('a', '<', 1)).toThrow("'<' not supported between instances of 'str' and 'int'");
  });

  // CPython 3.11: repr() of the same texts.
  test.each([
    ['plain', "'plain'"],
    ["it's", '"it\'s"'],
    ['say "it\'s"', "'say \"it\\'s\"'"],
    ['a\\b', "'a\\\\b'"],
    ['\t\r\n\0\x1f\x7f', "'\\t\\r\\n\\x00\\x1f\\x7f'"],
    ['\u00a0\u00ad\u2028\ufeff\ue000', "'\\xa0\\xad\\u2028\\ufeff\\ue000'"],
    ['é日😀', "'é日😀'"],
    ['\u{e0001}\ud800', "'\\U000e0001\\ud800'"],
  ])('%j is quoted as %s', (text, quoted) => expect(reprOf(text)).toBe(quoted));
});
