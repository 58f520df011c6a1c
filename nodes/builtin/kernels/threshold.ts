import { defineKernel } from '../../kit/graph-node.ts';
import type { Pixels } from '../../kit/values.ts';
import { floatsOf } from '../read-samples.ts';
import { sharedFloats } from '../shared-samples.ts';

/** A mask, and the value above which it is 1. */
type ThresholdInput = { readonly mask: Pixels; readonly value: number };

/** 1 above the value, else 0. */
export default defineKernel({
  name: 'threshold',
  steps: ({ mask }: ThresholdInput) => mask.data.length,
  run({ mask, value }: ThresholdInput): Pixels {
    const samples = floatsOf(mask);
    const data = sharedFloats(samples.length);
    // torch compares with the value in single precision.
    const limit = Math.fround(value);
    for (let i = 0; i < data.length; i++) data[i] = Number((samples[i] ?? 0) > limit);
    return { ...mask, data };
  },
});
