import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { floatsOf } from '../read-samples.ts';
import { sharedFloats } from '../shared-samples.ts';

/** A picture, and samples to add on each side. */
type PadInput = {
  readonly picture: Pixels;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** What the new samples are. */
  readonly value: number;
};

/** Adds a border; floats come out. */
export default defineKernel({
  name: 'pad',
  steps: ({ picture, left, top, right, bottom }: PadInput) =>
    (picture.width + left + right) * (picture.height + top + bottom) * picture.channels,
  run({ picture, left, top, right, bottom, value }: PadInput): Pixels {
    const { channels } = picture;
    const width = picture.width + left + right;
    const height = picture.height + top + bottom;
    const source = floatsOf(picture);
    const data = sharedFloats(width * height * channels);
    data.fill(value);
    const rowLength = picture.width * channels;
    for (let y = 0; y < picture.height; y++) {
      const to = ((y + top) * width + left) * channels;
      data.set(source.subarray(y * rowLength, (y + 1) * rowLength), to);
    }
    return { width, height, channels, data };
  },
});
