import type { Scores } from './measure-scores.ts';

const ALL = 'all';

/** A table of blocks and what was measured of each, in columns of one width; the last row is the whole. */
export function tableOfScores(blocks: ReadonlyMap<string, Scores>, whole: Scores): string {
  const columns = Object.keys(whole);
  const rows = [...blocks, [ALL, whole] as const].map(([block, scores]) => [
    block,
    ...columns.map((column) => spell(scores[column])),
  ]);
  const lines = [['block', ...columns], ...rows];
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Six digits are more than weights of half precision bear. */
function spell(value: number | string | boolean | undefined): string {
  if (typeof value !== 'number') return value === undefined ? '-' : String(value);
  if (Number.isNaN(value)) return '-';
  return Number.isInteger(value) ? String(value) : Number(value.toPrecision(6)).toString();
}
