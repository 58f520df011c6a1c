/**
 * Smoothing of an array of any number of axes, as scipy.ndimage does it in its mode "reflect": beyond an edge the array
 * is mirrored (d c b a | a b c d | d c b a).
 */

/** The window of a Gaussian ends at so many standard deviations. */
const TRUNCATE = 4;

function mirror(index: number, side: number): number {
  const place = ((index % (2 * side)) + 2 * side) % (2 * side);
  return place < side ? place : 2 * side - 1 - place;
}

/** Steps to the neighbours −radius to radius of each place on an axis, in elements of the array. */
function neighboursOf(side: number, stride: number, radius: number): Int32Array {
  const width = 2 * radius + 1;
  return new Int32Array(side * width).map((_, i) => {
    const place = Math.floor(i / width);
    return (mirror(place + (i % width) - radius, side) - place) * stride;
  });
}

/** Elements between neighbours on each axis, in C order. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
}

/** The number that half of them are not above, of an odd count; reorders them. @see Hoare 1961, "Algorithm 65: find" */
function takeMedian(values: Float64Array): number {
  const middle = values.length >> 1;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[middle] ?? 0;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] ?? 0) < pivot) i++;
      while ((values[j] ?? 0) > pivot) j--;
      if (i > j) break;
      const value = values[i] ?? 0;
      values[i++] = values[j] ?? 0;
      values[j--] = value;
    }
    if (j < middle) low = i;
    if (i > middle) high = j;
  }
  return values[middle] ?? 0;
}

/** The median of each element and its neighbours: three in every axis. */
export function filterMedian3(values: Float64Array, shape: readonly number[]): Float64Array {
  const strides = stridesOf(shape);
  const axes = shape.map((side, axis) => neighboursOf(side, strides[axis] ?? 1, 1));
  const window = new Float64Array(3 ** shape.length);
  const row = shape.at(-1) ?? 1;
  const last = axes.at(-1) ?? new Int32Array(1);
  const width = last.length / row;
  // Steps on all axes but the last: the same along a row.
  let steps = new Int32Array(1);
  return values.map((_, at) => {
    const place = at % row;
    if (place === 0) steps = crossSteps(axes.slice(0, -1), shape, strides, at);
    let slot = 0;
    for (const step of steps) {
      for (let k = 0; k < width; k++)
        window[slot++] = values[at + step + (last[place * width + k] ?? 0)] ?? 0;
    }
    return takeMedian(window);
  });
}

/** All sums of one step on each axis, from one place. */
function crossSteps(
  axes: readonly Int32Array[],
  shape: readonly number[],
  strides: readonly number[],
  at: number,
): Int32Array<ArrayBuffer> {
  let sums = new Int32Array(1);
  axes.forEach((steps, axis) => {
    const place = Math.floor(at / (strides[axis] ?? 1)) % (shape[axis] ?? 1);
    const before = sums;
    sums = new Int32Array(3 * before.length).map(
      (_, i) => (before[Math.floor(i / 3)] ?? 0) + (steps[3 * place + (i % 3)] ?? 0),
    );
  });
  return sums;
}

/** Convolves with a Gaussian along every axis. @param sigma standard deviation, in elements. */
export function filterGaussian(values: Float64Array, shape: readonly number[], sigma: number): Float64Array {
  const radius = Math.floor(TRUNCATE * sigma + 0.5);
  const bell = new Float64Array(2 * radius + 1).map((_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  );
  const sum = bell.reduce((total, value) => total + value, 0);
  const kernel = bell.map((value) => value / sum);
  return stridesOf(shape).reduce((before, stride, axis) => {
    const side = shape[axis] ?? 1;
    const steps = neighboursOf(side, stride, radius);
    const after = new Float64Array(before.length);
    for (let start = 0; start < before.length; start += stride) {
      const place = (start / stride) % side;
      for (let k = 0; k < kernel.length; k++) {
        const from = start + (steps[place * kernel.length + k] ?? 0);
        const share = kernel[k] ?? 0;
        for (let i = 0; i < stride; i++)
          after[start + i] = (after[start + i] ?? 0) + share * (before[from + i] ?? 0);
      }
    }
    return after;
  }, values);
}
