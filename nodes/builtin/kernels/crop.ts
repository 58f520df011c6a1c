import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import type { Part } from '../interpolate.ts';
import { sharedBytes, sharedFloats } from '../shared-samples.ts';

/** A picture and the part of it that stays. */
type CropInput = { readonly picture: Pixels; readonly part: Part };

/** Cuts a part out; bytes stay bytes. The part lies within the picture. */
export default defineKernel({
  name: 'crop',
  steps: ({ picture, part }: CropInput) => part.width * part.height * picture.channels,
  run({ picture, part }: CropInput): Pixels {
    const { channels, data: source } = picture;
    const rowLength = part.width * channels;
    const length = part.height * rowLength;
    const data = source instanceof Uint8Array ? sharedBytes(length) : sharedFloats(length);
    for (let y = 0; y < part.height; y++) {
      const from = ((part.top + y) * picture.width + part.left) * channels;
      data.set(source.subarray(from, from + rowLength), y * rowLength);
    }
    return { width: part.width, height: part.height, channels, data };
  },
});
