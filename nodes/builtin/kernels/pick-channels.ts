import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { floatsOf } from '../read-samples.ts';
import { sharedBytes, sharedFloats } from '../shared-samples.ts';

/** A picture of other channels of the same samples. */
type PickChannelsInput = {
  readonly picture: Pixels;
  /** For each new channel the number of the old one, or `opaque`: all 1. */
  readonly channels:
    | readonly [Channel]
    | readonly [Channel, Channel, Channel]
    | readonly [Channel, Channel, Channel, Channel];
  /** Masks are floats; else bytes stay bytes. */
  readonly floats?: boolean;
  /** Each sample becomes 1 - sample, in floats. */
  readonly inverted?: boolean;
};

/** Where a channel comes from. */
type Channel = number | 'opaque';

/** Takes channels apart, repeats or drops them, and inverts them. */
export default defineKernel({
  name: 'pick-channels',
  steps: ({ picture, channels }: PickChannelsInput) => picture.width * picture.height * channels.length,
  run({ picture, channels, floats = false, inverted = false }: PickChannelsInput): Pixels {
    const { width, height } = picture;
    const keepsBytes = picture.data instanceof Uint8Array && !floats && !inverted;
    const source = keepsBytes ? picture.data : floatsOf(picture);
    const length = width * height * channels.length;
    const data = keepsBytes ? sharedBytes(length) : sharedFloats(length);
    if (inverted && channels.length === picture.channels && channels.every((from, to) => from === to)) {
      // All of a picture in one go: half the time.
      for (let i = 0; i < length; i++) data[i] = 1 - (source[i] ?? 0);
      return { width, height, channels: channels.length, data };
    }
    for (const [to, from] of channels.entries()) {
      for (let sample = 0; sample < width * height; sample++) {
        const value =
          from === 'opaque' ? (keepsBytes ? 255 : 1) : (source[sample * picture.channels + from] ?? 0);
        data[sample * channels.length + to] = inverted ? 1 - value : value;
      }
    }
    return { width, height, channels: channels.length, data };
  },
});
