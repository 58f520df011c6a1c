import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import {
  createMatrix,
  type Matrix,
  scaleColumns,
  transpose,
} from '../../nodes/lora/linear-algebra/matrix.ts';
import { multiply } from '../../nodes/lora/linear-algebra/multiply.ts';
import { findTopSingularVectors } from '../../nodes/lora/linear-algebra/top-singular-vectors.ts';
import { distance, drawMatrix } from './draw.ts';

const { count, cases } = JSON.parse(
  readFileSync(new URL('../../fixtures/pipeline/singular-values.json', import.meta.url), 'utf8'),
) as { count: number; cases: Record<string, { values: number[]; error: number }> };

/** As `matrices` in `fixtures/pipeline/generate.py`. */
function product(seed: number, m: number, k: number, n: number, decay: number, noise: number): Matrix {
  const left = scaleColumns(
    drawMatrix(seed, m, k),
    Array.from({ length: k }, (_, i) => Math.exp(-decay * i)),
  );
  const out = multiply(left, drawMatrix(seed + 1, k, n));
  const rest = drawMatrix(seed + 2, m, n).data;
  return { ...out, data: out.data.map((value, i) => value + noise * rest[i]!) };
}

const MATRICES: Record<string, Matrix> = {
  'wide, decaying': product(10, 96, 60, 220, 0.15, 0),
  'tall, decaying, noise': product(20, 260, 60, 120, 0.1, 1e-3),
  'rank 6 and noise': product(30, 150, 6, 150, 0, 1e-4),
  'rank 3': product(40, 128, 3, 140, 0.3, 0),
  noise: product(50, 110, 4, 130, 0, 1),
  small: product(60, 9, 5, 7, 0.2, 0.1),
};

describe.each(Object.entries(MATRICES))('findTopSingularVectors: %s', (name, matrix) => {
  const { values, error } = cases[name]!;
  const { u, s, vt, ...found } = findTopSingularVectors(matrix, count);

  test("numpy's values and error", () => {
    expect(s.length).toBe(values.length);
    // What is rounding of the largest is no value.
    values.forEach((value, i) => {
      const allowed = Math.max(1e-6 * value, 1e-12 * values[0]!);
      expect(Math.abs(s[i]! - value), `value ${i}`).toBeLessThan(allowed);
    });
    expect(Math.abs(found.error - error)).toBeLessThan(Math.max(1e-6 * error, 1e-7 * found.norm));
  });

  test('orthonormal vectors that leave that error', () => {
    for (const gram of [multiply(transpose(u), u), multiply(vt, transpose(vt))])
      gram.data.forEach((value, i) => {
        expect(value).toBeCloseTo(i % (gram.columns + 1) === 0 ? 1 : 0, 9);
      });
    const near = multiply(scaleColumns(u, s), vt);
    const left = distance(near.data, matrix.data) * found.norm;
    expect(Math.abs(left - error)).toBeLessThan(1e-6 * found.norm);
  });
});

test('equal inputs give equal bits', () => {
  const matrix = MATRICES['tall, decaying, noise']!;
  expect(findTopSingularVectors(matrix, 5)).toEqual(findTopSingularVectors(matrix, 5));
});

test('zero, and what is no number', () => {
  const { s, error } = findTopSingularVectors(createMatrix(80, 90), 4);
  expect([...s, error]).toEqual([0, 0, 0, 0, 0]);
  const broken = createMatrix(80, 90);
  broken.data[17] = Number.NaN;
  expect(() => findTopSingularVectors(broken, 4)).toThrow(
    expect.toSatisfy((caught: unknown) => isLineageError(caught, 'lora/not-finite')),
  );
});
