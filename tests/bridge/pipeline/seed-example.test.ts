import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numpy } from '../../peers.ts';
import { lineage } from '../cli/run.ts';
import { type DataHashes, hashAsHalf, hashData, largestUlps, listDifferent } from './compare-files.ts';
import { MANIFEST, makeExample, mergeByHand, RESULT } from './seed-example.ts';

/** SDXL with sides divided by this, but for what tells the architecture: 23 MB a file in F16. */
const SCALE = '32';
const TENSORS = 2517;
/** SHA-256 of the data sections, as they were first made. */
const MODELS = {
  realistic_base_v1: '8b3038907ebe3a2485070bedf05bd33c19ec8162092a1600b81523cb8a91edc8',
  photorealism_v2: '4b1c7efc78bafe27adba4893f24a4887bcff1355957fb4fc44542a6d961871ab',
  anime_style_v1: '2f811b41ccc2d87e49376e5786eebeca93bf6c484dd6779d7cdfb95391a94ef6',
  manga_style_v2: '503da6fa6db90945ecbe51273192faf0a7ef445fd9ba09b50cb327a0c47dd75b',
  anime_vae: '1b9f1117d9d54cab687159fda790b7eae98d6eac9eb3482244668dc47885cf13',
};

const folder = mkdtempSync(join(tmpdir(), 'lineage-example-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
let inputs: string[];
let models: ReadonlyMap<string, string>;
/** By the independent script: every step rounded to F16. */
let byHand: DataHashes;

type Written = { pipeline: { steps: ({ id: string } & Record<string, unknown>)[] } };

/** Another manifest beside the example: the same but for what is changed. */
function writeVariant(name: string, change: (written: Written) => unknown): string {
  const written: Written = JSON.parse(readFileSync(at(MANIFEST), 'utf8'));
  writeFileSync(at(name), JSON.stringify(change(written)));
  return name;
}

async function run(...args: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await lineage(folder, [...args, '--json']);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe.skipIf(!numpy.available)("the seed's complex example on files of SDXL's layout", () => {
  beforeAll(() => {
    models = makeExample(folder, '--scale', SCALE);
    inputs = readdirSync(folder);
    byHand = mergeByHand(at(MANIFEST));
  }, 120_000);

  test('its models are the same on every machine', () => {
    expect(Object.fromEntries(models)).toEqual(MODELS);
  });

  test('staged, it is what each step gives by hand, bit for bit', { timeout: 120_000 }, async () => {
    await run('pipeline', '--manifest', MANIFEST, '--threads', '2');
    const made = hashData(at(RESULT));
    expect(Object.keys(made.tensors)).toHaveLength(TENSORS);
    expect(listDifferent(made, byHand)).toEqual([]);
    expect(made.data).toBe(byHand.data);
    // Nothing but the result is left: the steps between are temporary.
    expect(readdirSync(folder).sort()).toEqual([...inputs, RESULT].sort());
  });

  test('staged, it is what three merges after another give', { timeout: 120_000 }, async () => {
    const expected = hashData(at(RESULT));
    const { pipeline }: Written = JSON.parse(readFileSync(at(MANIFEST), 'utf8'));
    for (const step of pipeline.steps) {
      const models = (step['models'] as { step?: string; weight: number }[]).map((model) =>
        model.step === undefined ? model : { path: `alone_${model.step}.safetensors`, weight: model.weight },
      );
      const { dependencies: _, ...alone } = step;
      const output = { path: `alone_${step.id}.safetensors`, precision: 'fp16' };
      writeFileSync(at(`${step.id}.json`), JSON.stringify({ ...alone, models, output }));
      await run('merge', '--manifest', `${step.id}.json`);
    }
    expect(hashData(at('alone_final_composition.safetensors'))).toEqual(expected);
  });

  test('fused, it is within 1 ulp of float32 before the last rounding', { timeout: 120_000 }, async () => {
    // Before the last rounding: the same with a result in float32. Nothing is rounded to 16 bits on the way.
    const whole = writeVariant('whole.json', ({ pipeline }) => ({
      pipeline: {
        ...pipeline,
        steps: pipeline.steps.map((step) =>
          step.id === 'final_composition'
            ? { ...step, output: { path: 'whole.safetensors', precision: 'fp32' } }
            : step,
        ),
      },
    }));
    await run('pipeline', '--manifest', whole, '--fused');
    mergeByHand(at(MANIFEST), '--fused', '--precision', 'fp32', '--out', at('by-hand.safetensors'));
    expect(largestUlps(at('whole.safetensors'), at('by-hand.safetensors')).ulps).toBeLessThanOrEqual(1);

    // And the last rounding is the only one: float32 to F16, to the nearest.
    await run('pipeline', '--manifest', MANIFEST, '--fused');
    const fused = hashData(at(RESULT)).tensors;
    const rounded = hashAsHalf(at('whole.safetensors'));
    expect(Object.keys(fused).filter((name) => fused[name] !== rounded[name])).toEqual([]);
    // It is not the staged result under another name.
    expect(Object.keys(fused).filter((name) => fused[name] !== byHand.tensors[name]).length).toBeGreaterThan(
      1000,
    );
  });
});
