import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExact } from '../../web/page/exact-json.ts';

test.each(['18446744073709551615', '5.0', '1e-3', '-0', '[1,2.50,{"a":17364925080427183911}]'])(
  '%s is written as it came',
  (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text);
  },
);

test('what a double holds is a plain number', () => {
  expect(parseExact('{"a":[1,2.5,-3,"4",null,true]}')).toEqual({ a: [1, 2.5, -3, '4', null, true] });
});

test('a key __proto__ stays a key', () => {
  expect(JSON.stringify(parseExact('{"__proto__":{"x":1.0}}'))).toBe('{"__proto__":{"x":1.0}}');
});

test('any JSON comes back as JSON reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(parseExact(text))).toBe(text);
    }),
  );
});

test('no JSON is refused', () => {
  expect(() => parseExact('{')).toThrow(SyntaxError);
});
