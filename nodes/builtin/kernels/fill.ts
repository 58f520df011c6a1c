import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { sharedBytes, sharedFloats } from '../shared-samples.ts';

/** A picture of one colour. */
type FillInput = {
  readonly width: number;
  readonly height: number;
  /** A sample for each channel: 0 to 255 for bytes, 0 to 1 for floats. */
  readonly colour: readonly [number] | readonly [number, number, number];
  readonly as: 'bytes' | 'floats';
};

/** Makes a picture of one colour. */
export default defineKernel({
  name: 'fill',
  steps: ({ width, height, colour }: FillInput) => width * height * colour.length,
  run({ width, height, colour, as }: FillInput): Pixels {
    const length = width * height * colour.length;
    const data = as === 'bytes' ? sharedBytes(length) : sharedFloats(length);
    if (colour.every((sample) => sample === colour[0])) data.fill(colour[0]);
    else for (let i = 0; i < length; i++) data[i] = colour[i % colour.length] ?? 0;
    return { width, height, channels: colour.length, data };
  },
});
