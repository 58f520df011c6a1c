import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isMap, isNode, isScalar, parseDocument } from 'yaml';
import { type JsonPlace, placeJson } from '../../nodes/formats/json-places.ts';

/** All places of a text by path, as we find them. */
function ours(place: JsonPlace, path: readonly PropertyKey[] = []): [string, number][] {
  const here: [string, number] = [JSON.stringify(path), place.at];
  const members = [...(place.members ?? [])].flatMap(([key, { keyAt, value }]): [string, number][] => [
    [`key of ${JSON.stringify([...path, key])}`, keyAt],
    ...ours(value, [...path, key]),
  ]);
  return [here, ...members, ...(place.items ?? []).flatMap((item, index) => ours(item, [...path, index]))];
}

/** The same by the parser of YAML, of which JSON is a part. */
function byYaml(node: unknown, path: readonly PropertyKey[] = []): [string, number][] {
  if (!isNode(node)) return [];
  const here: [string, number] = [JSON.stringify(path), node.range?.[0] ?? -1];
  if (isMap(node))
    return [
      here,
      ...node.items.flatMap(({ key, value }): [string, number][] => {
        const inner = [...path, isScalar(key) ? String(key.value) : ''];
        const keyAt = isScalar(key) ? (key.range?.[0] ?? -1) : -1;
        return [[`key of ${JSON.stringify(inner)}`, keyAt], ...byYaml(value, inner)];
      }),
    ];
  const items = 'items' in node && Array.isArray(node.items) ? node.items : [];
  return [here, ...items.flatMap((item: unknown, index) => byYaml(item, [...path, index]))];
}

test('the places of any JSON text are those that a parser of YAML finds', () => {
  // Keys that YAML reads as something else than a text are spelt as texts here all the same.
  const value = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme-composite' });
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, 2, '\t'), (json, indent) => {
      const text = ` ${JSON.stringify(json, undefined, indent)}\n`;
      const { root, duplicateAt } = placeJson(text);
      const document = parseDocument(text, { uniqueKeys: false, logLevel: 'error' });
      expect(duplicateAt).toBeUndefined();
      expect(ours(root)).toEqual(byYaml(document.contents));
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['{"a": nope}', 6],
  ['{"a":1,}', 7],
  ['[1,]', 3],
  ['[1 2]', 3],
  ["{'a':1}", 1],
  ['{"a":01}', 6],
  ['{"a":"b\n"}', 5],
  ['{"a":"\\x"}', 5],
  ['{"a":1', 6],
  ['{"a" 1}', 5],
  ['1 2', 2],
  ['', 0],
])('what is no JSON is told where it stops being it: %j', (text, at) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(() => placeJson(text)).toThrow(expect.objectContaining({ name: 'JsonFault', at }));
});

test('it takes what JSON.parse takes, and nothing else', () => {
  const signs = fc.constantFrom(...'{}[],:"\\ \n-+.0123456789eEtrufalsn\u0001u'.split(''));
  fc.assert(
    fc.property(fc.array(signs, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const takes = (read: () => unknown): boolean => {
        try {
          read();
          return true;
        } catch {
          return false;
        }
      };
      expect(takes(() => placeJson(text))).toBe(takes(() => JSON.parse(text)));
    }),
    { numRuns: 20_000 },
  );
});

test('the first key that its object has already', () => {
  expect(placeJson('{"a":{"b":1,"c":2,"b":3},"a":0}').duplicateAt).toBe(18);
  expect(placeJson('{"a":1,"\\u0061":2}').duplicateAt).toBe(7);
  expect(placeJson('{"a":{"b":1},"c":{"b":1}}').duplicateAt).toBeUndefined();
});

test('of equal keys the first is told', () => {
  expect(placeJson('{"a":1,"a":22}').root.members?.get('a')).toEqual({ keyAt: 1, value: { at: 5 } });
});

test('a hundred thousand values take no second', () => {
  const text = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => ({ [`k\\${i}`]: 'a"'.repeat(3) })));
  const start = performance.now();
  expect(placeJson(text).root.items).toHaveLength(100_000);
  expect(performance.now() - start).toBeLessThan(1_000);
});
