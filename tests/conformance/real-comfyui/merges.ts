import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Graph, node } from '../golden/graphs.ts';
import { checkPicture } from './check-picture.ts';
import type { Driver } from './drive.ts';
import { CFG, NEGATIVE, POSITIVE, SAVE, SIDE } from './graphs.ts';
import { type Check, savedBy } from './pictures.ts';

/** Files of `make_tiny_sd3.py`. */
const PARENTS = ['tiny-one.safetensors', 'tiny-two.safetensors'] as const;
const SEED = 21;
type Link = readonly [string, number];

/** A picture of a loaded checkpoint, sampled as every graph here. */
function sampled(loader: string, prefix: string): Record<string, Graph> {
  const [model, clip, vae]: readonly Link[] = [
    [loader, 0],
    [loader, 1],
    [loader, 2],
  ];
  return {
    '13': node('CLIPTextEncode', { text: POSITIVE, clip }),
    '14': node('CLIPTextEncode', { text: NEGATIVE, clip }),
    '15': node('EmptySD3LatentImage', { width: SIDE, height: SIDE, batch_size: 1 }),
    '16': node('KSampler', {
      ...{ seed: SEED, steps: 4, cfg: CFG, denoise: 1, sampler_name: 'euler', scheduler: 'simple', model },
      ...{ positive: ['13', 0], negative: ['14', 0], latent_image: ['15', 0] },
    }),
    '17': node('VAEDecode', { samples: ['16', 0], vae }),
    [SAVE]: node('LineageSaveImage', {
      ...{
        images: ['17', 0],
        filename_prefix: prefix,
        file_format: 'png',
        sampler_selection_method: 'range',
      },
    }),
  };
}

function merged(prefix: string): Record<string, Graph> {
  return {
    '1': node('LineageMergeSource', { model_name: PARENTS[0] }),
    '2': node('LineageMergeSource', { model_name: PARENTS[1] }),
    '3': node('LineageMerge', {
      ...{ method: 'weighted-sum', params: 'alpha=0.25', weights: '', model1: ['1', 0], model2: ['2', 0] },
    }),
    '4': node('LineageRunPipeline', { output_name: 'tiny-child', precision: 'as written', merge: ['3', 0] }),
    '5': node('LineageMergeReport', { report: ['4', 4] }),
    ...sampled('4', prefix),
  };
}

async function pictureOf(driver: Driver, base: string, graph: Record<string, Graph>): Promise<string> {
  const [file] = savedBy(await driver.run(graph), base);
  assert(file, 'a file was saved');
  return file;
}

async function pixelsOf(file: string): Promise<Buffer> {
  return await sharp(file).raw().toBuffer();
}

/** Merging inside real ComfyUI. */
export const MERGE_CHECKS: readonly Check[] = [
  {
    name: 'merge of two checkpoints, loaded by ComfyUI, sampled and named in the picture',
    async run(driver, base) {
      const run = await driver.run(merged('merged'));
      const [file] = savedBy(run, base);
      assert(file, 'a file was saved');
      assert.match(
        String(run.outputs['5']?.['text']?.[0]),
        /^tiny-child\.safetensors.*\nmerge_3 \(merge\): made/,
      );

      const child = join(base, 'output', 'checkpoints', 'tiny-child.safetensors');
      const hash = createHash('sha256').update(readFileSync(child)).digest('hex').slice(0, 10);
      await checkPicture(file, { 'Model hash': hash, Model: 'tiny-child', Seed: SEED, Steps: 4 });

      // ComfyUI's own loader gives the same picture from the same file; a parent gives another one.
      const loaded = (ckpt_name: string, prefix: string) => ({
        '4': node('CheckpointLoaderSimple', { ckpt_name }),
        ...sampled('4', prefix),
      });
      const own = await pixelsOf(file);
      const again = await pictureOf(driver, base, loaded('tiny-child.safetensors', 'loaded'));
      assert.equal(Buffer.compare(await pixelsOf(again), own), 0, 'the loaded file gives the same pixels');
      const parent = await pictureOf(driver, base, loaded(PARENTS[0], 'parent'));
      assert.notEqual(Buffer.compare(await pixelsOf(parent), own), 0, 'a parent gives other pixels');
    },
  },
];
