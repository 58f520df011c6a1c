import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGE_FORMATS } from '../../../nodes/kit/values.ts';
import { checkPicture, checkReceipt, type Expected } from './check-picture.ts';
import type { Driver, Run } from './drive.ts';
import { CFG, MODEL, oneSampler, SAVE, SIDE, twoSamplers } from './graphs.ts';

/** Readers that lose nothing of a picture with one sampler, by format; the receipts of the save node say so. */
const LOSSLESS: Readonly<Record<string, readonly string[]>> = {
  png: ['a1111', 'comfyui'],
  jpeg: ['a1111'],
  webp: ['a1111'],
  avif: ['a1111'],
};

/** A check by name; it throws AssertionError. */
export type Check = { readonly name: string; run(driver: Driver, base: string): Promise<void> };

function expectedOf(base: string, more: Expected): Expected {
  const bytes = readFileSync(join(base, 'models', 'diffusion_models', MODEL.file));
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 10);
  return {
    ...{ Steps: 4, Sampler: 'Euler', 'Schedule type': 'Simple', 'CFG scale': CFG, Size: `${SIDE}x${SIDE}` },
    ...{ 'Model hash': hash, Model: MODEL.name },
    ...more,
  };
}

/** The files a run saved. */
export function savedBy(run: Run, base: string): string[] {
  assert.equal(run.error, undefined, `the run succeeds: ${JSON.stringify(run.error)?.slice(0, 2000)}`);
  const images = (run.outputs[SAVE]?.['images'] ?? []) as readonly {
    readonly filename: string;
    readonly subfolder: string;
  }[];
  return images.map(({ filename, subfolder }) => join(base, 'output', subfolder, filename));
}

const inEveryFormat: readonly Check[] = IMAGE_FORMATS.flatMap((format) =>
  [101, 18446744073709551615n].map((seed) => ({
    name: `KSampler -> VAEDecode -> LineageSaveImage as ${format}, seed ${seed}`,
    async run(driver: Driver, base: string) {
      const prompt = oneSampler({ format, prefix: `format-${format}` });
      const node = prompt['6'] as { readonly inputs: object };
      const seeded = { ...prompt, '6': { ...node, inputs: { ...node.inputs, seed: exact(seed) } } };
      const run = await driver.run(seeded);
      const [file] = savedBy(run, base);
      assert(file, 'a file was saved');
      await checkPicture(file, expectedOf(base, { Seed: String(seed) }));
      checkReceipt(run.outputs[SAVE]?.['receipts']?.[0], LOSSLESS[format] ?? [], format);
    },
  })),
);

/** A number as JSON spells it, also where a double would not hold it. */
function exact(value: number | bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}

/** What issue 3 asks of real ComfyUI in its fourth point. */
export const PICTURE_CHECKS: readonly Check[] = [
  ...inEveryFormat,
  {
    name: 'two samplers, KSamplerAdvanced over steps 0-3 and 3-4',
    async run(driver, base) {
      const [file] = savedBy(await driver.run(twoSamplers({ seed: 7, prefix: 'two' })), base);
      assert(file, 'a file was saved');
      await checkPicture(
        file,
        expectedOf(base, {
          Seed: 7,
          Samplers: 'Euler (0-2) | Heun (3-3)',
          'Samplers detail': '"1: Euler 0-2, 2: Heun 3-3"',
        }),
      );
    },
  },
  {
    name: 'inside a subgraph, ids as 57:8',
    async run(driver, base) {
      const [file] = savedBy(
        await driver.run(oneSampler({ seed: 8, within: '57:', prefix: 'subgraph' })),
        base,
      );
      assert(file, 'a file was saved');
      await checkPicture(file, expectedOf(base, { Seed: 8 }));
    },
  },
  {
    name: 'a batch of four',
    async run(driver, base) {
      const files = savedBy(await driver.run(oneSampler({ seed: 9, batch: 4, prefix: 'batch' })), base);
      assert.equal(new Set(files).size, 4, 'four files');
      for (const file of files) await checkPicture(file, expectedOf(base, { Seed: 9 }));
    },
  },
  {
    name: 'interrupted half-way, and the next run',
    async run(driver, base) {
      let asked = false;
      const run = await driver.run(
        oneSampler({ seed: 10, steps: 1000, prefix: 'half' }),
        ({ type, data }) => {
          if (asked || type !== 'progress' || Number(data['value']) < 3) return;
          asked = true;
          void driver.interrupt();
        },
      );
      assert(asked && run.interrupted, 'the run was interrupted');
      const left = existsSync(join(base, 'output'))
        ? readdirSync(join(base, 'output')).filter((name) => name.startsWith('half'))
        : [];
      assert.deepEqual(left, [], 'an interrupted run leaves no file');
      const [file] = savedBy(await driver.run(oneSampler({ seed: 11, prefix: 'after' })), base);
      assert(file, 'the next run saves');
      await checkPicture(file, expectedOf(base, { Seed: 11 }));
    },
  },
];
