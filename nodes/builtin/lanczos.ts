import { truncateSamples } from '../formats/truncate-samples.ts';
import type { Pixels } from '../kit/values.ts';
import type { Part } from './interpolate.ts';
import { sharedBytes } from './shared-samples.ts';

/**
 * Pillow's `Image.resize` with LANCZOS on 8-bit samples: across, then down, each pass rounded to bytes, with weights
 * of 22 fractional bits; pictures with alpha are multiplied by it in between. Pillow 13 goes down first where that is
 * less work, which changes some samples a little; this is the order of all before it.
 * @see Pillow 12 src/libImaging/Resample.c, Convert.c (RGBA to RGBa and back)
 */

const WEIGHT_BITS = 22;
const WEIGHT_ONE = 2 ** WEIGHT_BITS;
/** Half the width of the kernel, in samples of the coarser side. */
const LANCZOS_SUPPORT = 3;

/** Of one sample: the first source sample that counts, and a weight for it and each after it. */
type Window = { readonly start: number; readonly weights: Float64Array };

/** Resizes a part of a picture, floats cut off to bytes before as ComfyUI does; bytes come out. */
export function resizeByLanczos(picture: Pixels, part: Part, width: number, height: number): Pixels {
  const { channels } = picture;
  const cut = cutToBytes(picture, part);
  if (part.width === width && part.height === height) return { width, height, channels, data: cut };
  const multiplies = channels === 4;
  if (multiplies) multiplyByAlpha(cut);
  const rowLength = part.width * channels;
  const across =
    part.width === width
      ? cut
      : resample(cut, part.height, part.width, channels, rowLength, findWindows(part.width, width));
  const newRow = width * channels;
  const down =
    part.height === height
      ? across
      : resample(across, 1, part.height, newRow, across.length, findWindows(part.height, height));
  if (multiplies) divideByAlpha(down);
  return { width, height, channels, data: down };
}

/** The part as bytes, in an array of its own. */
function cutToBytes({ data, width, channels }: Pixels, part: Part): Uint8Array {
  const rowLength = part.width * channels;
  const out = sharedBytes(part.height * rowLength);
  for (let y = 0; y < part.height; y++) {
    const from = ((part.top + y) * width + part.left) * channels;
    const row = out.subarray(y * rowLength, (y + 1) * rowLength);
    if (data instanceof Uint8Array) row.set(data.subarray(from, from + rowLength));
    else truncateSamples(data.subarray(from, from + rowLength), row);
  }
  return out;
}

/**
 * One pass: `lines` times an axis of `length` elements, each of `step` samples that stay apart; a line is
 * `lineLength` samples long.
 */
function resample(
  source: Uint8Array,
  lines: number,
  length: number,
  step: number,
  lineLength: number,
  windows: readonly Window[],
): Uint8Array {
  const newLine = (lineLength / length) * windows.length;
  const out = sharedBytes(lines * newLine);
  const sums = new Float64Array(step);
  for (let line = 0; line < lines; line++) {
    for (const [i, { start, weights }] of windows.entries()) {
      // Half, so that cutting off rounds.
      sums.fill(WEIGHT_ONE / 2);
      for (let tap = 0; tap < weights.length; tap++) {
        const weight = weights[tap] ?? 0;
        const from = line * lineLength + (start + tap) * step;
        for (let s = 0; s < step; s++) sums[s] = (sums[s] ?? 0) + weight * (source[from + s] ?? 0);
      }
      const to = line * newLine + i * step;
      for (let s = 0; s < step; s++) {
        out[to + s] = Math.min(255, Math.max(0, Math.floor((sums[s] ?? 0) / WEIGHT_ONE)));
      }
    }
  }
  return out;
}

function findWindows(from: number, to: number): readonly Window[] {
  const scale = from / to;
  const filterScale = Math.max(1, scale);
  const support = LANCZOS_SUPPORT * filterScale;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const exact = Array.from({ length: end - start }, (_, tap) =>
      lanczos((tap + start - centre + 0.5) / filterScale),
    );
    const sum = exact.reduce((total, weight) => total + weight, 0);
    const weights = Float64Array.from(exact, (weight) => {
      const scaled = (sum === 0 ? weight : weight / sum) * WEIGHT_ONE;
      return Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    });
    return { start, weights };
  });
}

function lanczos(x: number): number {
  return x >= -LANCZOS_SUPPORT && x < LANCZOS_SUPPORT ? sinc(x) * sinc(x / LANCZOS_SUPPORT) : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

function multiplyByAlpha(rgba: Uint8Array): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3] ?? 0;
    for (let channel = i; channel < i + 3; channel++) {
      const product = (rgba[channel] ?? 0) * alpha + 128;
      rgba[channel] = ((product >> 8) + product) >> 8;
    }
  }
}

function divideByAlpha(rgba: Uint8Array): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3] ?? 0;
    if (alpha === 0 || alpha === 255) continue;
    for (let channel = i; channel < i + 3; channel++) {
      rgba[channel] = Math.min(255, Math.trunc((255 * (rgba[channel] ?? 0)) / alpha));
    }
  }
}
