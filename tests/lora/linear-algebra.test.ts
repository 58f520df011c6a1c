import { describe, expect, test } from 'vitest';
import golden from '../../fixtures/lora/linear-algebra.json' with { type: 'json' };
import { rotationOf } from '../../nodes/lora/linear-algebra/cayley.ts';
import {
  createMatrix,
  firstColumns,
  firstRows,
  identity,
  type Matrix,
  matrixOf,
  scaleColumns,
  transpose,
} from '../../nodes/lora/linear-algebra/matrix.ts';
import { multiply } from '../../nodes/lora/linear-algebra/multiply.ts';
import { factorQr, multiplyQ } from '../../nodes/lora/linear-algebra/qr.ts';
import { decompose, type Svd } from '../../nodes/lora/linear-algebra/svd.ts';
import { distance, draw, drawMatrix } from './draw.ts';

const inputs: Record<string, Matrix> = {
  tall: drawMatrix(2, 9, 4),
  wide: drawMatrix(3, 4, 9),
  square: drawMatrix(4, 7, 7),
  graded: scaleColumns(
    drawMatrix(21, 9, 9),
    Array.from({ length: 9 }, (_, i) => 10 ** -i),
  ),
  row: drawMatrix(5, 1, 6),
  column: drawMatrix(6, 6, 1),
};

function recompose({ u, s, vt }: Svd): Matrix {
  return multiply(scaleColumns(u, s), vt);
}

function expectOrthonormal(columns: Matrix): void {
  const product = multiply(transpose(columns), columns);
  expect(distance(product.data, identity(columns.columns).data)).toBeLessThan(1e-12);
}

describe('multiply', () => {
  test('is the product as numpy has it, across blocks and with rows and columns left over', () => {
    const product = multiply(drawMatrix(12, 7, 133), drawMatrix(13, 133, 5));
    expect(distance(product.data, golden.multiply)).toBeLessThan(1e-12);
  });

  test('crosses blocks of columns', () => {
    const right = drawMatrix(14, 3, 600);
    const product = multiply(identity(3), right);
    expect(product.data).toEqual(right.data);
  });
});

describe('factorQr', () => {
  test.each([
    [9, 4],
    [4, 9],
    [5, 5],
    [1, 1],
  ])('%i by %i: Q is orthonormal, R triangular, and their product the matrix', (rows, columns) => {
    const matrix = drawMatrix(2, rows, columns);
    const factors = factorQr(matrix);
    const q = multiplyQ(factors, identity(Math.min(rows, columns)));
    expectOrthonormal(q);
    expect(distance(multiply(q, factors.r).data, matrix.data)).toBeLessThan(1e-14);
    for (let i = 0; i < factors.r.rows; i++) {
      for (let j = 0; j < i; j++) expect(factors.r.data[i * columns + j]).toBe(0);
    }
  });

  test('R is the one of numpy, but for signs', () => {
    const { r } = factorQr(drawMatrix(2, 9, 4));
    expect(distance(r.data.map(Math.abs), golden.triangle)).toBeLessThan(1e-12);
  });

  test('takes zeros', () => {
    const factors = factorQr(createMatrix(4, 3));
    expect([...factors.r.data].every((value) => value === 0)).toBe(true);
    expectOrthonormal(multiplyQ(factors, identity(3)));
  });
});

describe('decompose', () => {
  test.each(golden.svd)('$name: vectors, values and signs are those of numpy', ({ name, u, s, vt }) => {
    const found = decompose(inputs[name]!);
    // The smaller values of a graded matrix are known to the precision of the largest.
    expect(distance(found.s, s)).toBeLessThan(1e-12);
    const tolerance = name === 'graded' ? 1e-6 : 1e-10;
    expect(distance(found.u.data, u)).toBeLessThan(tolerance);
    expect(distance(found.vt.data, vt)).toBeLessThan(tolerance);
    expect(distance(recompose(found).data, inputs[name]!.data)).toBeLessThan(1e-13);
  });

  test('finds the values of a larger matrix, and orthonormal vectors', () => {
    const matrix = drawMatrix(11, 120, 90);
    const found = decompose(matrix);
    expect(distance(found.s, golden.large)).toBeLessThan(1e-12);
    expectOrthonormal(found.u);
    expectOrthonormal(transpose(found.vt));
    expect(distance(recompose(found).data, matrix.data)).toBeLessThan(1e-12);
  });

  test('takes matrices of lower rank, with zeros on the diagonal, and of zeros', () => {
    const deficient = decompose(multiply(drawMatrix(7, 8, 3), drawMatrix(8, 3, 8)));
    expect(distance(deficient.s, golden.rankDeficient)).toBeLessThan(1e-12);
    expectOrthonormal(deficient.u);
    for (const values of [
      [1, 2, 0, 0, 0, 3, 0, 0, 4],
      [0, 1, 2, 0, 3, 4, 0, 5, 7],
      [0, 1, 0, 0, 0, 2, 0, 0, 0],
    ]) {
      const singular = matrixOf(3, 3, values);
      expect(distance(recompose(decompose(singular)).data, singular.data)).toBeLessThan(1e-14);
    }
    const zero = decompose(createMatrix(4, 3));
    expect([...zero.s]).toEqual([0, 0, 0]);
    expectOrthonormal(zero.u);
  });

  test.each(['tall', 'wide', 'square'])('%s: only the first vectors, where no more are wanted', (name) => {
    const all = decompose(inputs[name]!);
    const two = decompose(inputs[name]!, () => 2);
    expect(two.s).toEqual(all.s);
    expect([two.u.columns, two.vt.rows]).toEqual([2, 2]);
    expect(distance(two.u.data, firstColumns(all.u, 2).data)).toBeLessThan(1e-14);
    expect(distance(two.vt.data, firstRows(all.vt, 2).data)).toBeLessThan(1e-14);
  });

  test('refuses NaN and infinity', () => {
    expect(() => decompose(matrixOf(1, 2, [1, Number.NaN]))).toThrow('expected numbers, got NaN');
    expect(() => decompose(matrixOf(1, 2, [1, Number.POSITIVE_INFINITY]))).toThrow('got Infinity');
  });

  test('the same matrix gives the same bits', () => {
    const [once, twice] = [decompose(drawMatrix(4, 7, 7)), decompose(drawMatrix(4, 7, 7))];
    expect(once).toEqual(twice);
  });
});

test('decompose finds the singular vectors of a product of low rank', () => {
  const found = decompose(multiply(drawMatrix(9, 12, 5), drawMatrix(10, 5, 10)), () => 5);
  const { u, s, vt } = golden.product;
  expect(distance(found.s, s)).toBeLessThan(1e-12);
  expect(
    distance(
      found.u.data,
      u.filter((_, i) => i % 10 < 5),
    ),
  ).toBeLessThan(1e-10);
  expect(distance(found.vt.data, vt.slice(0, 5 * 10))).toBeLessThan(1e-10);
});

test('rotationOf is the Cayley transform as numpy has it', () => {
  const drawn = draw(25, [6, 6]).data;
  const skew = matrixOf(6, 6, drawn);
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 6; j++) skew.data[i * 6 + j] = drawn[i * 6 + j]! - drawn[j * 6 + i]!;
  }
  const rotation = rotationOf(skew);
  expect(distance(rotation.data, golden.cayley)).toBeLessThan(1e-12);
  expectOrthonormal(rotation);
});
