import { LineageError } from '../../kit/errors.ts';
import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { interpolate, type Part, type TorchMethod } from '../interpolate.ts';
import { resizeByLanczos } from '../lanczos.ts';
import { roundHalfEven } from '../python-number.ts';
import { checkSamples } from '../shared-samples.ts';

/** A picture and its new size in samples. */
export type ResizeInput = {
  readonly picture: Pixels;
  readonly width: number;
  readonly height: number;
  readonly method: TorchMethod | 'lanczos';
  /** `center` cuts off what does not fit the new proportions, before. */
  readonly crop: 'disabled' | 'center';
};

/**
 * Resizes as `common_upscale` does. Bytes come of lanczos, and of nearest-exact for bytes; else floats.
 * @throws LineageError `builtin/shapes` where a side would be 0, `image/too-large`
 * @see ComfyUI 618b803d comfy/utils.py
 */
export default defineKernel({
  name: 'resize',
  steps: ({ picture, width, height }: ResizeInput) => picture.data.length + width * height * picture.channels,
  run({ picture, width, height, method, crop }: ResizeInput): Pixels {
    const part = crop === 'center' ? centreOf(picture, width / height) : wholeOf(picture);
    if (Math.min(width, height, part.width, part.height) < 1) {
      throw new LineageError(
        'builtin/shapes',
        `expected sides of 1 or more, got ${part.width}x${part.height} to ${width}x${height}`,
      );
    }
    checkSize(width, height, picture.channels);
    return method === 'lanczos'
      ? resizeByLanczos(picture, part, width, height)
      : interpolate(picture, part, width, height, method);
  },
});

/**
 * Eight times the largest side that nodes offer. Beside the samples, each column and row has a table of its own,
 * so a picture of one row is held to this too.
 */
const SIDE_MAX = 8 * 16_384;

function checkSize(width: number, height: number, channels: number): void {
  if (Math.max(width, height) > SIDE_MAX) {
    throw new LineageError(
      'image/too-large',
      `expected sides of at most ${SIDE_MAX} samples, got ${width}x${height}`,
    );
  }
  checkSamples(width * height * channels);
}

function wholeOf({ width, height }: Pixels): Part {
  return { left: 0, top: 0, width, height };
}

/** The largest part in the middle with these proportions (width by height), as near as whole samples come. */
function centreOf({ width, height }: Pixels, aspect: number): Part {
  const old = width / height;
  const left = old > aspect ? roundHalfEven((width - width * (aspect / old)) / 2) : 0;
  const top = old < aspect ? roundHalfEven((height - height * (old / aspect)) / 2) : 0;
  return { left, top, width: width - left * 2, height: height - top * 2 };
}
