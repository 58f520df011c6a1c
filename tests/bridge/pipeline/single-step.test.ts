import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lineage } from '../cli/run.ts';
import { bf16, f16, f32, type Made, writeModel } from '../merge/small-models.ts';
import { hashData } from './compare-files.ts';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/merge/single-step/', import.meta.url));
const POSITIONS = 'cond_stage_model.transformer.text_model.embeddings.position_ids';
/** Bits of a number that the type holds exactly, and how it is stored. */
const TYPES = {
  F16: { bits: 11, store: f16 },
  BF16: { bits: 8, store: bf16 },
  F32: { bits: 24, store: f32 },
} as const;

type Shapes = Readonly<Record<string, readonly number[]>>;
type ModelPlan = {
  readonly seed: number;
  readonly dtype: keyof typeof TYPES;
  readonly leftovers?: true;
  readonly part?: string;
};
type Plans = {
  readonly layout: Shapes;
  readonly leftovers: Shapes;
  readonly models: Readonly<Record<string, ModelPlan>>;
};
/** SHA-256 of data sections: written by generate.py there, with an independent script. */
type Expected = Readonly<Record<'models' | 'results', Readonly<Record<string, string>>>>;

function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'));
}

const plans = readFixture<Plans>('models.json');
const expected = readFixture<Expected>('expected.json');
const folder = mkdtempSync(join(tmpdir(), 'lineage-single-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The numbers of generate.py: an integer hash whose upper bits are a number in [-1, 1) that its lower bits halve. */
function drawNumbers(seed: number, place: number, count: number, bits: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => {
    let x = (Math.imul(index, 0x9e3779b1) + Math.imul(seed * 1000 + place, 0x85ebca77)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
    x = (x ^ (x >>> 16)) >>> 0;
    return ((x >>> (32 - bits)) / 2 ** (bits - 1) - 1) / 2 ** (4 + (x & 7));
  });
}

function makeModel(name: string, { seed, dtype, leftovers, part = '' }: ModelPlan): void {
  const shapes = Object.entries({ ...plans.layout, ...(leftovers && plans.leftovers) });
  const { bits, store } = TYPES[dtype];
  const tensors = new Map<string, Made>();
  for (const [place, [tensor, shape]] of shapes.entries()) {
    if (!tensor.startsWith(part)) continue;
    const count = shape.reduce((product, side) => product * side, 1);
    tensors.set(tensor.slice(part.length), store(shape, drawNumbers(seed, place, count, bits)));
  }
  if (part === '') {
    const positions = BigInt64Array.from({ length: 77 }, (_, index) =>
      BigInt(index > 40 ? index - 1 : index),
    );
    tensors.set(POSITIONS, { dtype: 'I64', shape: [1, 77], bytes: new Uint8Array(positions.buffer) });
  }
  writeModel(join(folder, `${name}.safetensors`), tensors);
}

describe('manifests of a single merge keep giving the same bytes', () => {
  beforeAll(() => {
    for (const [name, plan] of Object.entries(plans.models)) makeModel(name, plan);
  }, 60_000);

  test.each(Object.keys(expected.models))('what goes in is what it was: %s', (name) => {
    expect(hashData(join(folder, `${name}.safetensors`)).data).toBe(expected.models[name]);
  });

  test.each(Object.keys(expected.results))('%s', async (name) => {
    copyFileSync(join(FIXTURES, `${name}.json`), join(folder, `${name}.json`));
    const { status, stderr } = await lineage(folder, ['merge', '--manifest', `${name}.json`, '--json']);
    expect(status, stderr).toBe(0);
    expect(hashData(join(folder, 'result.safetensors')).data).toBe(expected.results[name]);
  });
});
