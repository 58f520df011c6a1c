import { expect, test } from 'vitest';
import { peersTables } from '../../../bridge/build/peers-table.ts';

const HEAD = 'version,section,metric,value,unit,goal';

test('rows of the section become lines, single pictures and other sections stay out', () => {
  const csv = [
    HEAD,
    '0.1.0,trace,"trace, 1,000 nodes",3.12,ms,<= 10',
    '0.1.0,peers,"PNG, photo: skin: Pillow\'s time / ours",4.90,x,',
    '0.1.0,peers,"PNG of 1024x1024, ""median"" of 20",5.10,x,>= 4',
    '0.1.0,peers,tag,1.81e+3,files/s,',
    '',
  ].join('\n');
  expect(peersTables(csv).slice(-2)).toEqual([
    '| PNG of 1024x1024, "median" of 20 | 5.10 x | >= 4 |',
    '| tag | 1810 files/s |  |',
  ]);
});

test('budgets stand side by side, ours before the predecessor', () => {
  const cells = [
    ['64 KiB, A', 0.9, 0.85],
    ['64 KiB, B / C', 0.5, 0],
    ['4 KiB, A', 0.625, 0.1],
    ['4 KiB, B / C', 1, 0.25],
  ] as const;
  const csv = cells.flatMap(([cell, ours, theirs]) => [
    `0.1.0,peers,"key fields in ${cell}: ours",${ours},,>= ${theirs}`,
    `0.1.0,peers,"key fields in ${cell}: the predecessor",${theirs},,`,
  ]);
  const lines = peersTables([HEAD, ...csv].join('\n'));
  expect(lines.slice(-4)).toEqual([
    '| 20 key fields in a JPEG, % that a reader finds: ours / the predecessor | 64 KiB | 4 KiB |',
    '|---|---|---|',
    '| A | 90 / 85 | 63 / 10 |',
    '| B / C | 50 / 0 | 100 / 25 |',
  ]);
});

test('without measurements there is an empty table', () => {
  expect(peersTables(`${HEAD}\n`).filter((line) => line.startsWith('|'))).toHaveLength(2);
});
