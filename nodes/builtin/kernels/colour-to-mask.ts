import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { roundHalfEven } from '../python-number.ts';
import { floatsOf } from '../read-samples.ts';
import { sharedFloats } from '../shared-samples.ts';

/** A picture of three channels or more, and a colour as 0xRRGGBB. */
type ColourToMaskInput = { readonly picture: Pixels; readonly colour: number };

/** 1 where the picture has the colour, rounded to bytes; else 0. @see ComfyUI 618b803d comfy_extras/nodes_mask.py */
export default defineKernel({
  name: 'colour-to-mask',
  steps: ({ picture }: ColourToMaskInput) => picture.data.length,
  run({ picture, colour }: ColourToMaskInput): Pixels {
    const { width, height, channels } = picture;
    const samples = floatsOf(picture);
    const data = sharedFloats(width * height);
    const byteAt = (i: number): number =>
      roundHalfEven(Math.fround(Math.min(1, Math.max(0, samples[i] ?? 0)) * 255));
    for (let sample = 0; sample < data.length; sample++) {
      const at = sample * channels;
      if ((byteAt(at) << 16) + (byteAt(at + 1) << 8) + byteAt(at + 2) === colour) data[sample] = 1;
    }
    return { width, height, channels: 1, data };
  },
});
