import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { sharedFloats } from '../shared-samples.ts';

/** How wide the mask of a picture's inside fades out towards the sides that are to be painted. */
type FeatherInput = {
  readonly width: number;
  readonly height: number;
  readonly feathering: number;
  /** Sides that are padded; the others do not fade. */
  readonly sides: {
    readonly left: boolean;
    readonly top: boolean;
    readonly right: boolean;
    readonly bottom: boolean;
  };
};

/**
 * The mask of ImagePadForOutpaint over the old picture: 0 inside, rising with the square of the nearness to a padded
 * side; all 0 where the picture is too small to fade.
 * @see ComfyUI 618b803d nodes.py ImagePadForOutpaint
 */
export default defineKernel({
  name: 'feather',
  steps: ({ width, height }: FeatherInput) => width * height,
  run({ width, height, feathering, sides }: FeatherInput): Pixels {
    const data = sharedFloats(width * height);
    const fades = feathering > 0 && feathering * 2 < height && feathering * 2 < width;
    for (let y = 0; fades && y < height; y++) {
      const above = sides.top ? y : height;
      const below = sides.bottom ? height - y : height;
      for (let x = 0; x < width; x++) {
        const before = sides.left ? x : width;
        const behind = sides.right ? width - x : width;
        const distance = Math.min(above, below, before, behind);
        if (distance < feathering) data[y * width + x] = ((feathering - distance) / feathering) ** 2;
      }
    }
    return { width, height, channels: 1, data };
  },
});
