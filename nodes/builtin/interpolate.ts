import type { Pixels } from '../kit/values.ts';
import { floatsOf } from './read-samples.ts';
import { sharedBytes, sharedFloats } from './shared-samples.ts';

/**
 * `torch.nn.functional.interpolate` with `align_corners=False` and without antialiasing. Positions are computed in
 * single precision, as torch does: with sides of a thousand samples the difference would show.
 * @see PyTorch 2.13 aten/src/ATen/native/UpSample.h
 */

/** The methods of torch that ComfyUI offers. */
export type TorchMethod = 'nearest-exact' | 'bilinear' | 'area' | 'bicubic';

/** A part of a picture, in samples from its upper left. */
export type Part = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

/** Where the samples of one axis come from: `count` taps for each of them. */
type Taps = { readonly count: number; readonly index: Int32Array; readonly weight: Float64Array };

const single = Math.fround;
/** Of the cubic convolution kernel; torch's choice. */
const CUBIC_A = -0.75;

/**
 * Resizes a part of a picture. Floats come out, unclamped (bicubic overshoots); bytes of bytes for nearest-exact.
 * @param part within the picture, at least one sample wide and high.
 */
export function interpolate(
  picture: Pixels,
  part: Part,
  width: number,
  height: number,
  method: TorchMethod,
): Pixels {
  if (method === 'nearest-exact') return pickNearest(picture, part, width, height);
  const { channels } = picture;
  const across = findTaps(part.width, width, method);
  const down = findTaps(part.height, height, method);
  const rows = interpolateRows(picture, part, width, across);
  const rowLength = width * channels;
  const data = sharedFloats(height * rowLength);
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let tap = 0; tap < down.count; tap++) {
      const weight = down.weight[y * down.count + tap] ?? 0;
      if (weight === 0) continue;
      const from = (down.index[y * down.count + tap] ?? 0) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] = (sums[i] ?? 0) + weight * (rows[from + i] ?? 0);
    }
    data.set(sums, y * rowLength);
  }
  return { width, height, channels, data };
}

/** Every row of the part, at its new width. */
function interpolateRows(picture: Pixels, part: Part, width: number, taps: Taps): Float32Array {
  const { channels } = picture;
  const source = floatsOf(picture);
  const rows = sharedFloats(part.height * width * channels);
  let out = 0;
  for (let y = 0; y < part.height; y++) {
    const row = ((part.top + y) * picture.width + part.left) * channels;
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let tap = x * taps.count; tap < (x + 1) * taps.count; tap++) {
          const from = row + (taps.index[tap] ?? 0) * channels + channel;
          sum += (taps.weight[tap] ?? 0) * (source[from] ?? 0);
        }
        rows[out++] = sum;
      }
    }
  }
  return rows;
}

function pickNearest(picture: Pixels, part: Part, width: number, height: number): Pixels {
  const { channels, data: source } = picture;
  const length = width * height * channels;
  const data = source instanceof Uint8Array ? sharedBytes(length) : sharedFloats(length);
  const across = nearestIndexes(part.width, width);
  const down = nearestIndexes(part.height, height);
  let out = 0;
  for (let y = 0; y < height; y++) {
    const row = (part.top + (down[y] ?? 0)) * picture.width + part.left;
    for (let x = 0; x < width; x++) {
      const from = (row + (across[x] ?? 0)) * channels;
      for (let channel = 0; channel < channels; channel++) data[out++] = source[from + channel] ?? 0;
    }
  }
  return { width, height, channels, data };
}

function nearestIndexes(from: number, to: number): Int32Array {
  const scale = single(from / to);
  return Int32Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(single((i + 0.5) * scale))));
}

function findTaps(from: number, to: number, method: 'bilinear' | 'area' | 'bicubic'): Taps {
  if (method === 'area') return areaTaps(from, to);
  const count = method === 'bilinear' ? 2 : 4;
  const taps = { count, index: new Int32Array(to * count), weight: new Float64Array(to * count) };
  const scale = single(from / to);
  for (let i = 0; i < to; i++) {
    const position = single(single(scale * (i + 0.5)) - 0.5);
    if (method === 'bilinear') {
      const at = Math.max(0, position);
      const first = Math.min(from - 1, Math.trunc(at));
      const rest = Math.min(1, Math.max(0, single(at - first)));
      taps.index.set([first, Math.min(from - 1, first + 1)], i * 2);
      taps.weight.set([single(1 - rest), rest], i * 2);
    } else {
      const first = Math.floor(position);
      const rest = single(position - first);
      for (let tap = 0; tap < 4; tap++) {
        taps.index[i * 4 + tap] = Math.min(from - 1, Math.max(0, first - 1 + tap));
        taps.weight[i * 4 + tap] = cubicWeight(Math.abs(rest + 1 - tap));
      }
    }
  }
  return taps;
}

/** Keys' cubic convolution at a distance below 2. */
function cubicWeight(distance: number): number {
  if (distance <= 1) return ((CUBIC_A + 2) * distance - (CUBIC_A + 3)) * distance * distance + 1;
  return ((CUBIC_A * distance - 5 * CUBIC_A) * distance + 8 * CUBIC_A) * distance - 4 * CUBIC_A;
}

/** Adaptive average pooling: each sample is the mean of the ones it covers, whole ones only. */
function areaTaps(from: number, to: number): Taps {
  const windows = Array.from({ length: to }, (_, i) => {
    const start = Math.floor((i * from) / to);
    return { start, length: Math.ceil(((i + 1) * from) / to) - start };
  });
  const count = Math.max(...new Set(windows.map(({ length }) => length)));
  const taps = { count, index: new Int32Array(to * count), weight: new Float64Array(to * count) };
  for (const [i, { start, length }] of windows.entries()) {
    for (let tap = 0; tap < length; tap++) {
      taps.index[i * count + tap] = start + tap;
      taps.weight[i * count + tap] = 1 / length;
    }
  }
  return taps;
}
