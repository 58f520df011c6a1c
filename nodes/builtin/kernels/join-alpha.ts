import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { floatsOf } from '../read-samples.ts';
import { sharedFloats } from '../shared-samples.ts';

/** A picture of three channels or more, and a mask of its size. */
type JoinAlphaInput = { readonly picture: Pixels; readonly mask: Pixels };

/** Colours with an alpha channel of 1 - mask, in floats. */
export default defineKernel({
  name: 'join-alpha',
  steps: ({ picture }: JoinAlphaInput) => picture.width * picture.height * 4,
  run({ picture, mask }: JoinAlphaInput): Pixels {
    const { width, height, channels } = picture;
    const colours = floatsOf(picture);
    const masked = floatsOf(mask);
    const data = sharedFloats(width * height * 4);
    for (let sample = 0; sample < width * height; sample++) {
      for (let channel = 0; channel < 3; channel++) {
        data[sample * 4 + channel] = colours[sample * channels + channel] ?? 0;
      }
      data[sample * 4 + 3] = 1 - (masked[sample] ?? 0);
    }
    return { width, height, channels: 4, data };
  },
});
