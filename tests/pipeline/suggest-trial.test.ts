import { describe, expect, test } from 'vitest';
import { suggestTrial, type TriedValues } from '../../nodes/pipeline/suggest-trial.ts';

function search(
  trials: number,
  goal: 'maximise' | 'minimise',
  score: (...values: number[]) => number,
  axes: number,
) {
  const tune = Array.from({ length: axes }, () => ({ step: 'm', model: 0, min: -1, max: 3 }));
  const tried: TriedValues[] = [];
  while (tried.length < trials) {
    const values = suggestTrial({ tune, trials, goal }, tried);
    tried.push({ values, score: score(...values) });
  }
  return tried;
}
const bestOf = (tried: readonly TriedValues[]) =>
  tried.reduce((best, each) => (each.score > best.score ? each : best));

describe('trials of an optimisation', () => {
  test('begin in the middle, stay within the ranges, and are the same again', () => {
    const tried = search(40, 'maximise', (x, y) => x! - y!, 2);
    expect(tried[0]?.values).toEqual([1, 1]);
    for (const value of tried.flatMap(({ values }) => values)) {
      expect(value).toBeGreaterThanOrEqual(-1);
      expect(value).toBeLessThanOrEqual(3);
    }
    expect(search(40, 'maximise', (x, y) => x! - y!, 2)).toEqual(tried);
  });

  test.each([
    [1, 20, 0.05],
    [2, 80, 0.3],
    [3, 200, 0.5],
  ])('find the top of a hill of %i axes in %i trials', (axes, trials, tolerance) => {
    const best = bestOf(
      search(trials, 'maximise', (...values) => -values.reduce((sum, x) => sum + (x - 0.3) ** 2, 0), axes),
    );
    for (const value of best.values) expect(Math.abs(value - 0.3)).toBeLessThan(tolerance);
  });

  test('down instead of up; and a score that is no number is never the best', () => {
    const down = search(20, 'minimise', (x) => (x! < 0 ? Number.NaN : (x! - 0.3) ** 2), 1);
    const last = down.at(-1)?.values[0] ?? 0;
    expect(Math.abs(last - 0.3)).toBeLessThan(0.3);
  });
});
