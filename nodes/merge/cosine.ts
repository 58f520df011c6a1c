import type { Survey, TensorMerge, TensorView } from './method.ts';
import { pairProducts, vectorsOf, walkVectors } from './vectors.ts';

/** Whether columns are brought to length 1 before the likeness of whole tensors is measured. */
export type Columns = 'unit' | 'raw';

/** Lengths are taken to be at least this: a column of zeros is like nothing. */
const LEAST_NORM = 1e-8;
/** The VAE is left alone: mixed by this measure, it makes worse pictures. */
const VAE = /^(first_stage_model|vae)\./;

/**
 * Finds the least and greatest likeness of columns in the whole model, without the lowest and highest hundredth.
 * Formula: sd-webui-supermerger; of unit columns it collects their own cosines, of raw ones their means with the tensor's.
 */
export function cosineSurvey(columns: Columns): Survey<{ readonly alpha: AlphaParam }> {
  return {
    rounds: 1,
    look(tensor) {
      if (tensor.size === 0 || VAE.test(tensor.name)) return new Float64Array();
      const { ofColumns, combined } = likenesses(tensor, columns);
      return columns === 'unit' ? ofColumns : combined;
    },
    combine: (found) => trimmedRange(found),
  };
}

type AlphaParam = {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly tooltip: string;
};

/** Writes `B + k (A - B)` with a share `k` for each column. */
export function writeByCosine(
  tensor: Pick<TensorMerge, 'name' | 'shape' | 'survey' | 'count' | 'visit' | 'write'>,
  columns: Columns,
  alpha: number,
): void {
  if (VAE.test(tensor.name)) {
    tensor.write(() => {});
    return;
  }
  const vectors = vectorsOf(tensor.shape, 'columns');
  const [least = 0, greatest = 0] = tensor.survey[0] ?? [];
  const shares = likenesses(tensor, columns).combined.map((likeness) => {
    // Where all columns are alike, none is less so: A, less alpha.
    const place = greatest > least ? (likeness - least) / (greatest - least) : 1;
    return Math.min(1, Math.max(0, place - alpha));
  });
  tensor.write(({ models: [a, b], start, length }, out) => {
    walkVectors(vectors, start, length, (i, column) => {
      const x = a?.[i] ?? 0;
      const y = b?.[i] ?? 0;
      const share = shares[column] ?? 0;
      if (share === 0) out[i] = y;
      else if (share < 1) out[i] = y + share * (x - y);
    });
  });
}

/** The cosine of each column, and its mean with the cosine of the whole tensors. */
function likenesses(
  tensor: Pick<TensorView, 'shape' | 'count' | 'visit'>,
  columns: Columns,
): { readonly ofColumns: Float64Array; readonly combined: Float64Array } {
  const { aa, bb, ab } = pairProducts(tensor, vectorsOf(tensor.shape, 'columns'));
  const ofColumns = ab.map((product, column) => cosineOf(product, aa[column] ?? 0, bb[column] ?? 0));
  const whole =
    columns === 'raw'
      ? cosineOf(sumOf(ab), sumOf(aa), sumOf(bb))
      : // A column that is not zero has length 1 now.
        cosineOf(sumOf(ofColumns), sumOf(aa.map(isPositive)), sumOf(bb.map(isPositive)));
  return { ofColumns, combined: ofColumns.map((cosine) => (cosine + whole) / 2) };
}

function cosineOf(product: number, a: number, b: number): number {
  return product / (Math.max(LEAST_NORM, Math.sqrt(a)) * Math.max(LEAST_NORM, Math.sqrt(b)));
}

function isPositive(square: number): number {
  return square > 0 ? 1 : 0;
}

function sumOf(numbers: Float64Array): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Least and greatest within the 1st percentile of all and the 99th of what is left then. */
function trimmedRange(found: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(found.reduce((count, { length }) => count + length, 0));
  let at = 0;
  for (const each of found) {
    all.set(each, at);
    at += each.length;
  }
  if (all.length === 0) return new Float64Array(2);
  all.sort();
  const least = percentile(all, 0.01);
  const upper = all.subarray(all.findIndex((value) => value >= least));
  const greatest = percentile(upper, 0.99);
  const kept = upper.findLast((value) => value <= greatest);
  return Float64Array.of(upper[0] ?? 0, kept ?? 0);
}

/** Halfway between the two nearest values, or the value itself (numpy's `midpoint`). */
function percentile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  return ((sorted[Math.floor(place)] ?? 0) + (sorted[Math.ceil(place)] ?? 0)) / 2;
}
