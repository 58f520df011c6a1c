import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Part } from '../../../nodes/formats/parts/part.ts';
import { inflatedBlocks, mapPngText, openInflateBudget } from '../../../nodes/formats/parts/png-text.ts';

const MIB = 2 ** 20;

/** keyword · NUL · method 0 · zlib stream. @see https://www.w3.org/TR/png-3/#11zTXt */
function zTXt(text: string): Part {
  const data = Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(text)]);
  return { name: 'zTXt', role: 'text', data, start: 0, end: data.length };
}

test('the compressed texts of a file are opened while their budget lasts', () => {
  const budget = openInflateBudget();
  const upper = (part: Part) => mapPngText(part, (text) => text.toUpperCase().slice(0, 1), budget);
  expect(upper(zTXt('a'.repeat(10 * MIB)))).toBeDefined();
  expect(upper(zTXt('b'.repeat(10 * MIB)))).toBeUndefined();
  expect(upper(zTXt('c'))).toBeUndefined();
  const fresh = mapPngText(zTXt('c'), (text) => text.toUpperCase(), openInflateBudget());
  expect(Buffer.from(fresh ?? [])).toEqual(zTXt('C').data);
});

test('a thousand compressed texts of a file are opened, however small', () => {
  const budget = openInflateBudget();
  const opened = Array.from({ length: 1_002 }, () => mapPngText(zTXt('c'), () => 'd', budget));
  expect(opened.filter((data) => data !== undefined)).toHaveLength(1_000);
});

test('what cannot be a zlib stream is not tried, and takes nothing of the budget', () => {
  const budget = openInflateBudget();
  const stored = zTXt('c');
  const broken = {
    ...stored,
    data: Uint8Array.from(stored.data, (byte, at) => (at === 9 ? byte ^ 1 : byte)),
  };
  expect(mapPngText(broken, (text) => text, budget)).toBeUndefined();
  expect(budget).toEqual(openInflateBudget());
});

test('a search opens 16 MiB of a file and no more', () => {
  const parts = Array.from({ length: 30 }, () => zTXt('a secret '.repeat(MIB / 9)));
  const opened = inflatedBlocks(parts).reduce((sum, { length }) => sum + length, 0);
  expect(opened).toBeGreaterThan(15 * MIB);
  expect(opened).toBeLessThanOrEqual(16 * MIB);
});
