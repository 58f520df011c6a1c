import { readFileSync } from 'node:fs';
import { isPixels } from '../../nodes/builtin/read-inputs.ts';
import { floatsOf } from '../../nodes/builtin/read-samples.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { Pixels } from '../../nodes/kit/values.ts';

/** What ComfyUI's own nodes gave: written by tests/builtin/record-nodes.py. */
type Recorded = {
  readonly cases: readonly {
    readonly node: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly outputs?: readonly unknown[];
    readonly ui?: Readonly<Record<string, readonly unknown[]>>;
    /** The Python error that it ended in. */
    readonly fails?: string;
  }[];
  readonly names: readonly { readonly prefix: string; readonly path: string }[];
  readonly loaded: readonly {
    readonly name: string;
    readonly base64: string;
    readonly fingerprint: string;
    readonly outputs: readonly unknown[];
    readonly masks: Readonly<Record<'alpha' | 'red', unknown>>;
  }[];
  readonly truncated: readonly [readonly number[], readonly number[]];
};

export const recorded: Recorded = JSON.parse(
  readFileSync(new URL('../../fixtures/builtin/nodes.json', import.meta.url), 'utf8'),
);

const SAMPLES: Readonly<Record<string, (i: number) => number>> = {
  bytes: (i) => (i * 37 + Math.floor(i / 5) * 11) % 256,
  floats: (i) => ((i * 7919) % 1009) / 800 - 0.1,
  quarters: (i) => (i % 5) / 4,
};

/** The value of an input: pictures by the rule that the recorder has too. */
export function inputValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inputValue);
  if (!isRecord(value) || typeof value['picture'] !== 'string') return value;
  const [shape, seed] = [value['shape'] as number[], value['seed'] as number];
  const sampleAt = SAMPLES[value['picture']];
  if (!sampleAt) throw new Error('a rule of the recorder that is not known here');
  // A mask has no last axis and holds floats, also one that was bytes.
  const isMask = shape.length === 3;
  const [count = 0, height = 0, width = 0, channels = 1] = shape;
  const length = height * width * channels;
  return Array.from({ length: count }, (_, n): Pixels => {
    const samples = Array.from({ length }, (__, i) => sampleAt(n * length + i + seed));
    const data = value['picture'] === 'bytes' ? Uint8Array.from(samples) : Float32Array.from(samples);
    const picture = { width, height, channels: channels as 1 | 3 | 4, data };
    return isMask ? { ...picture, data: floatsOf(picture) } : picture;
  });
}

/** An output in the form of the recording: batches as a shape and floats. */
export function outputValue(value: unknown, type: string): unknown {
  if (!Array.isArray(value)) return value;
  if (!value.every(isPixels)) return value.map((each) => outputValue(each, type));
  const [first] = value;
  if (!first) return value;
  const shape = [value.length, first.height, first.width, ...(type === 'MASK' ? [] : [first.channels])];
  return { shape, data: value.flatMap((picture) => [...floatsOf(picture)]) };
}
