import { isPixels } from '../../../nodes/builtin/read-inputs.ts';
import { floatsOf } from '../../../nodes/builtin/read-samples.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import type { Pixels } from '../../../nodes/kit/values.ts';

/** A batch as the test nodes compute with it. */
export type Batch = readonly Pixels[];

/** A batch of pictures, or undefined for any other value. */
export function asBatch(value: unknown): Batch | undefined {
  return Array.isArray(value) && value.length > 0 && value.every(isPixels) ? value : undefined;
}

/** A number, spelt in any way, or undefined for any other value. */
export function asNumber(value: unknown): number | undefined {
  if (value instanceof ExactNumber) return value.value;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

/** A batch where every sample is the same; one picture stands for all. */
export function constant(
  value: number,
  height: number,
  width: number,
  count = 1,
  channels: 1 | 3 = 3,
): Batch {
  const data = new Float32Array(width * height * channels).fill(value);
  return repeat({ width, height, channels, data }, count);
}

/** The same picture, so many times. */
export function repeat(picture: Pixels, count: number): Batch {
  return Array.from({ length: count }, () => picture);
}

/** Combines batches sample by sample; a batch of one picture goes with each, one channel with all. */
export function combine(batches: readonly Batch[], of: (samples: readonly number[]) => number): Batch {
  const count = Math.max(...batches.map((batch) => batch.length));
  return Array.from({ length: count }, (_, i) => {
    const pictures = batches.map((batch) => {
      const picture = batch.length === 1 ? batch[0] : batch[i];
      if (!picture) throw new RangeError(`expected batches of one length, got ${batch.length} and ${count}`);
      return picture;
    });
    return combinePictures(pictures, of);
  });
}

function combinePictures(pictures: readonly Pixels[], of: (samples: readonly number[]) => number): Pixels {
  const [first, ...others] = pictures;
  if (!first) throw new RangeError('expected a picture, got none');
  const { width, height } = first;
  const misfit = others.find((each) => each.width !== width || each.height !== height);
  if (misfit) {
    throw new RangeError(`expected ${width}x${height} samples, got ${misfit.width}x${misfit.height}`);
  }
  const widest = pictures.reduce((wide, each) => (each.channels > wide.channels ? each : wide), first);
  const { channels } = widest;
  const sources = pictures.map((picture) => ({ floats: floatsOf(picture), channels: picture.channels }));
  const data = new Float32Array(width * height * channels);
  const samples = sources.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    // By index: this runs a million times, and tests take its time.
    for (let s = 0; s < sources.length; s++) {
      const source = sources[s];
      if (source)
        samples[s] = source.floats[source.channels === channels ? i : Math.floor(i / channels)] ?? 0;
    }
    data[i] = of(samples);
  }
  return { width, height, channels, data };
}

/** The lowest and the highest sample. */
export function rangeOf(batch: Batch): { readonly min: number; readonly max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const picture of new Set(batch)) {
    for (const sample of floatsOf(picture)) {
      if (sample < min) min = sample;
      if (sample > max) max = sample;
    }
  }
  return { min, max };
}

/** Two values multiplied, each a number or a batch; two numbers give a picture of 512x512. */
export function multiply(one: unknown, other: unknown): Batch {
  const batches = [one, other].map(asBatch).filter((batch) => batch !== undefined);
  const factor = [one, other].map(asNumber).reduce<number>((product, n) => product * (n ?? 1), 1);
  if (batches.length === 0) return constant(factor, 512, 512);
  return combine(batches, (samples) => samples.reduce((product, sample) => product * sample, factor));
}
