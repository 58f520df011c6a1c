import { describe, expect, test } from 'vitest';
import { fillPrefix } from '../../nodes/builtin/save-prefix.ts';
import { truncateSamples } from '../../nodes/formats/truncate-samples.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { inputValue, outputValue, recorded } from './recorded-nodes.ts';
import { builtinNode, contextOf, runBuiltin } from './run-node.ts';

/** Single precision, added up in another order than torch does. */
const TOLERANCE = 1e-6;

const cases = recorded.cases.map((each) => [each.node, JSON.stringify(each.inputs), each] as const);

/** Where we differ on purpose: node and a word of its inputs to what we give, or nothing where we fail. */
const DEVIATIONS: readonly { node: string; input: string; gives?: unknown; why: string }[] = [
  {
    node: 'RegexExtract',
    input: '"(a)|b","mode":"All Groups","group_index":1',
    gives: 'a\n',
    why: 'a group that caught nothing is empty; in ComfyUI the node fails with a TypeError',
  },
  {
    node: 'ImageScaleBy',
    input: '"upscale_method":"area","scale_by":0.01',
    why: 'a picture without samples can be neither saved nor shown; ComfyUI makes one',
  },
];

describe('what ComfyUI gives for the same inputs', () => {
  test.each(cases)('%s %s', async (id, title, { inputs, outputs, ui, fails }) => {
    const values = Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [name, inputValue(value)]),
    );
    const deviation = DEVIATIONS.find((each) => each.node === id && title.includes(each.input));
    if (deviation?.gives !== undefined) {
      expect((await runBuiltin(id, values)).outputs).toEqual([deviation.gives]);
      return;
    }
    if (fails !== undefined || deviation) {
      await expect(runBuiltin(id, values)).rejects.toThrow();
      return;
    }
    const result = await runBuiltin(id, values);
    if (ui) expect(result.ui).toEqual(ui);
    const types = builtinNode(id).outputs.map(({ type }) => type);
    const got = result.outputs?.map((value, slot) => outputValue(value, types[slot] ?? ''));
    expectNear(got, outputs);
  });
});

function expectNear(got: unknown, expected: unknown): void {
  if (Array.isArray(expected) && expected.some(isRecord) && Array.isArray(got)) {
    expect(got.length).toBe(expected.length);
    for (const [i, each] of expected.entries()) expectNear(got[i], each);
  } else if (isRecord(expected) && isRecord(got)) {
    expect(got['shape']).toEqual(expected['shape']);
    const [samples, wanted] = [got['data'] as number[], expected['data'] as number[]];
    const worst = wanted.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (samples[i] ?? Number.NaN))),
      0,
    );
    expect(worst).toBeLessThanOrEqual(TOLERANCE);
  } else if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    for (const [i, each] of expected.entries()) expectNear(got[i], each);
  } else expect(got).toEqual(expected);
}

describe('LoadImage and LoadImageMask', () => {
  test.each(recorded.loaded.map((each) => [each.name, each] as const))('%s', async (name, file) => {
    const bytes = new Uint8Array(Buffer.from(file.base64, 'base64'));
    const host = { readInput: async (asked: string) => (asked === name ? bytes : undefined) };
    const { outputs = [] } = await runBuiltin('LoadImage', { image: name }, host);
    expectNear(
      [outputValue(outputs[0], 'IMAGE'), outputValue(outputs[1], 'MASK')],
      [batchOf(file.outputs[0], 4), batchOf(file.outputs[1], 3)],
    );
    for (const channel of ['alpha', 'red'] as const) {
      const mask = await runBuiltin('LoadImageMask', { image: name, channel }, host);
      expectNear(outputValue(mask.outputs?.[0], 'MASK'), batchOf(file.masks[channel], 3));
    }
    const { fingerprint } = builtinNode('LoadImage');
    expect(await fingerprint?.({ image: name }, contextOf(host))).toBe(file.fingerprint);
  });
});

/** ComfyUI leaves the axis of the batch out where there is one mask. */
function batchOf(value: unknown, axes: number): unknown {
  if (!isRecord(value) || !Array.isArray(value['shape']) || value['shape'].length >= axes) return value;
  return { ...value, shape: [1, ...value['shape']] };
}

test.each(recorded.names)('the prefix $prefix', ({ prefix, path }) => {
  const now = new Date(2026, 2, 4, 5, 6, 7);
  expect(fillPrefix(prefix, { width: 640, height: 480 }, now, 3)).toBe(path);
});

test('samples are cut off as numpy does, in single precision', () => {
  const halves = Float32Array.from({ length: 2049 }, (_, i) => -0.01 + (1.02 * i) / 2048);
  const inverted = Float32Array.from({ length: 256 }, (_, byte) => 1 - Math.fround(byte / 255));
  expect([...truncateSamples(inverted)]).toEqual(recorded.truncated[1]);
  const [wanted] = recorded.truncated;
  // numpy's linspace and ours differ in the last bit of some positions.
  expect([...truncateSamples(halves)].filter((byte, i) => byte !== wanted[i]).length).toBeLessThan(3);
});
