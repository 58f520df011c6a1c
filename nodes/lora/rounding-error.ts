import { decodeFloats, encodeFloats, type FloatDtype, floatBytes } from '../formats/floats.ts';
import type { LoraFactors } from './kinds/lora.ts';
import { frobeniusNorm, joinColumns, joinRows, type Matrix, transpose } from './linear-algebra/matrix.ts';
import { multiply } from './linear-algebra/multiply.ts';
import { factorQr } from './linear-algebra/qr.ts';

/**
 * What a LoRA loses where its factors are stored in a type: the Frobenius norm of up·down less the product of the rounded
 * factors, times the scale. The product itself is never made: with u and d for what rounding changes, the difference is
 * [u, up + u] · [down; d], whose norm is that of the product of two small triangles.
 */
export function roundingError({ up, down, scale }: LoraFactors, dtype: FloatDtype): number {
  const [storedUp, storedDown] = [roundMatrix(up, dtype), roundMatrix(down, dtype)];
  const left = joinColumns([difference(storedUp, up), storedUp]);
  const right = joinRows([down, difference(storedDown, down)]);
  const [leftCore, rightCore] = [factorQr(left).r, factorQr(transpose(right)).r];
  return Math.abs(scale) * frobeniusNorm(multiply(leftCore, transpose(rightCore)).data);
}

function roundMatrix({ rows, columns, data }: Matrix, dtype: FloatDtype): Matrix {
  const values = Float32Array.from(data);
  const bytes = new Uint8Array(values.length * floatBytes(dtype));
  encodeFloats(dtype, values, bytes);
  decodeFloats(dtype, bytes, values);
  return { rows, columns, data: Float64Array.from(values) };
}

function difference(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, i) => value - (b.data[i] ?? 0)) };
}
