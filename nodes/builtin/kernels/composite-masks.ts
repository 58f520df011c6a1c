import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { floatsOf } from '../read-samples.ts';
import { sharedFloats } from '../shared-samples.ts';

/** What may become of two samples. */
export const MASK_OPERATIONS = ['multiply', 'add', 'subtract', 'and', 'or', 'xor'] as const;

/** Two masks, and where the second lies on the first. */
type CompositeMasksInput = {
  readonly destination: Pixels;
  readonly source: Pixels;
  readonly x: number;
  readonly y: number;
  readonly operation: (typeof MASK_OPERATIONS)[number];
};

const OPERATIONS: Readonly<Record<CompositeMasksInput['operation'], (a: number, b: number) => number>> = {
  multiply: (a, b) => a * b,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  and: (a, b) => Number(isOn(a) && isOn(b)),
  or: (a, b) => Number(isOn(a) || isOn(b)),
  xor: (a, b) => Number(isOn(a) !== isOn(b)),
};

/** Python rounds a half to the even number, so 0.5 is off. */
function isOn(sample: number): boolean {
  return Math.abs(sample) > 0.5;
}

/** Lays a mask on another; what reaches beyond it is dropped, and all samples are held within 0 and 1. */
export default defineKernel({
  name: 'composite-masks',
  steps: ({ destination }: CompositeMasksInput) => destination.data.length,
  run({ destination, source, x, y, operation }: CompositeMasksInput): Pixels {
    const { width, height } = destination;
    const below = floatsOf(destination);
    const above = floatsOf(source);
    const combine = OPERATIONS[operation];
    const data = sharedFloats(width * height);
    for (let i = 0; i < data.length; i++) {
      const column = (i % width) - x;
      const row = Math.floor(i / width) - y;
      const isCovered = column >= 0 && row >= 0 && column < source.width && row < source.height;
      const sample = below[i] ?? 0;
      const value = isCovered ? combine(sample, above[row * source.width + column] ?? 0) : sample;
      data[i] = Math.min(1, Math.max(0, value));
    }
    return { width, height, channels: 1, data };
  },
});
