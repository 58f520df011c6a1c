import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGraphs } from '../../web/comfyui/parse-graphs.ts';

describe('what is loaded', () => {
  test('the workflow, where there is one', () => {
    const text = '{"format":"jpeg","prompt":{"1":{}},"workflow":{"nodes":[]},"warnings":[]}';
    expect(parseGraphs(text)).toEqual({ kind: 'workflow', graph: { nodes: [] }, rounded: [] });
  });

  test('else the prompt', () => {
    expect(parseGraphs('{"prompt":{"1":{"a":2.50}}}')).toEqual({
      kind: 'prompt',
      graph: { 1: { a: 2.5 } },
      rounded: [],
    });
  });
});

describe('what was rounded', () => {
  test.each([
    ['18446744073709551615', true],
    ['-9223372036854775807', true],
    ['9007199254740993', true],
    ['1'.repeat(400), true],
    // 2^53 - 1, 2^53, 2^63: doubles hold them.
    ['9007199254740991', false],
    ['9007199254740992', false],
    ['9223372036854775808', false],
    ['5.0', false],
    ['0.1', false],
    ['-0', false],
    ['1e22', false],
  ])('%s: %s', (number, isRounded) => {
    const { rounded } = parseGraphs(`{"workflow":{"nodes":[{"widgets_values":["x",${number}]}]}}`);
    expect(rounded).toEqual(isRounded ? [number] : []);
  });

  test('each number once, in order, also two that become the same', () => {
    const [one, other, third] = ['18446744073709551615', '18446744073709551614', '9007199254740993'];
    expect(parseGraphs(`{"workflow":[${third},${one},{"a":${other},"b":${third}}]}`).rounded).toEqual([
      third,
      one,
      other,
    ]);
  });

  test('not what only the other graph has', () => {
    expect(parseGraphs('{"prompt":{"seed":18446744073709551615},"workflow":{"nodes":[1]}}').rounded).toEqual(
      [],
    );
  });

  test('any whole number: said exactly when its digits change', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (number) => {
        const { rounded } = parseGraphs(`{"workflow":[${number}]}`);
        expect(rounded.length).toBe(BigInt(Number(number)) === number ? 0 : 1);
      }),
    );
  });
});

test('no JSON is refused', () => {
  expect(() => parseGraphs('<html>')).toThrow(SyntaxError);
});
